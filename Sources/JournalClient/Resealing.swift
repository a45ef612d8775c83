// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import VaultProtocol

/// How far a sync has come with sealing the vault's records anew after the keys were changed.
struct Resealing {
  /// The last record that was looked at, in the order of ids; `nil` before the first.
  var last: ObjectID?
  /// Revisions that were sealed anew and are not sent yet.
  private var waiting = 0
  private var done = 0
  private var total = 0

  /// What is shown of it; `nil` before anything is to be sealed anew.
  var progress: SyncProgress? {
    total > 0 ? SyncProgress(.resealing, done: done, total: max(total, done)) : nil
  }

  /// Notes that `count` revisions were sealed, of `total` in all.
  mutating func add(_ count: Int, of total: Int) {
    waiting += count
    self.total = done + total
  }

  /// Notes that `count` revisions went, and says how many of them were sealed anew.
  mutating func acknowledge(_ count: Int) -> Int {
    let anew = min(waiting, count)
    waiting -= anew
    done += anew
    return anew
  }
}

// Finishing a rotation (KEYFLOW.md §8): whichever device holds both keys goes on where another one
// stopped; what is sealed anew is an ordinary revision in an ordinary commit.
extension SyncEngine {
  /// Seals the next commit's worth of records anew that are of an older epoch, as pending revisions.
  ///
  /// - Returns: Whether there is something to send now.
  func sealNext(
    _ resealing: inout Resealing, _ session: Session
  ) throws(JournalError) -> Bool {
    let state = try journal.state()
    let keys = session.keys
    guard state.resealedEpoch != state.epoch, state.fits(keys) else { return false }
    var last = resealing.last
    let (count, total) = try journal.store.write {
      (store) throws(JournalError) -> (sealed: Int, left: Int) in
      guard try store.state()?.fits(keys) == true else { throw .keysChanged }
      let left = try store.olderRowCount(than: state.epoch)
      let batch = try store.olderBases(
        than: state.epoch, after: last, records: Limits.commitRecords, bytes: Limits.commitBytes)
      last = batch.last?.sealed.id ?? last
      if batch.isEmpty, left == 0, try !store.wantsAny() {
        try store.updateState { $0.resealedEpoch = state.epoch }
      }
      var sealed = 0
      for old in batch where try store.sealAnew(old, keys, device: state.device) { sealed += 1 }
      return (sealed, left)
    }
    // A whole batch that does not open is put aside, and is no reason to stop.
    let isDone = last == resealing.last
    resealing.last = last
    resealing.add(count, of: total)
    return !isDone
  }
}

extension StoreTransaction {
  /// How many of the vault's rows are not known to be sealed under `epoch` or a newer one.
  func olderRowCount(than epoch: UInt32) throws(JournalError) -> Int {
    try one(
      """
      SELECT COUNT(*) FROM vault_rows r LEFT JOIN revisions v
        ON v.record_id = r.record_id AND v.revision = r.revision AND v.blob_hash = r.blob_hash
      WHERE v.epoch IS NULL OR v.epoch < ?
      """, [Int64(epoch)]
    ) { $0.number(0).map { Int($0) } } ?? 0
  }

  /// The vault's revisions of epochs before `epoch`, in the order of records after `last`, as many
  /// as one commit takes; records with something pending are left to their own next commit.
  fileprivate func olderBases(
    than epoch: UInt32, after last: ObjectID?, records: Int, bytes: Int
  ) throws(JournalError) -> [StoredRevision] {
    let found = try all(
      """
      SELECT v.id, length(v.blob) FROM vault_rows r JOIN revisions v
        ON v.record_id = r.record_id AND v.revision = r.revision AND v.blob_hash = r.blob_hash
      WHERE r.record_id > ? AND v.epoch < ? AND v.state <> 4 AND NOT EXISTS
        (SELECT 1 FROM revisions p WHERE p.record_id = r.record_id AND p.state = 1)
      ORDER BY r.record_id LIMIT ?
      """, [last?.data ?? ObjectID.beforeAll, Int64(epoch), records]
    ) { row -> (id: Int64, bytes: Int)? in
      guard let id = row.number(0), let bytes = row.number(1) else { return nil }
      return (id, Int(bytes))
    }
    var batch: [StoredRevision] = []
    var sum = 0
    for (id, size) in found {
      sum += size
      guard batch.isEmpty || sum <= bytes, let stored = try revision(rowID: id) else { break }
      batch.append(stored)
    }
    return batch
  }

  /// Seals one revision anew under the current key, as the record's next; what does not open is put
  /// aside.
  ///
  /// - Returns: Whether there is a new one.
  fileprivate func sealAnew(
    _ old: StoredRevision, _ keys: UnlockedKeys, device: ObjectID
  ) throws(JournalError) -> Bool {
    let id = old.sealed.id
    guard let record = try? old.sealed.open(with: keys) else {
      try setState(.quarantined, rowID: old.rowID)
      return false
    }
    let number = max(try highestRevision(of: id), try vaultRow(id)?.revision ?? 0) + 1
    let writer = record.device ?? device
    let sealed: SealedRevision
    do {
      sealed = try SealedRevision(
        sealing: record.with(parents: [old.sealed.hash], device: writer), revision: number,
        under: keys)
    } catch .tooLarge {
      // A record that fills its blob has no room for a parent it did not have.
      sealed = try SealedRevision(
        sealing: record.with(parents: [], device: writer), revision: number, under: keys)
    }
    let rowID = try insert(sealed, state: .pending)
    if try current(id)?.rowID == old.rowID { try show(id, rowID: rowID) }
    return true
  }
}

extension ObjectID {
  /// Sorts before every id.
  fileprivate static let beforeAll = Data()
}
