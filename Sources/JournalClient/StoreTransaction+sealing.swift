// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import Sodium

extension StoreTransaction {
  private static let step = 200

  /// Seals everything anew: revisions with the parents that their blobs now have, local items, the
  /// activity log.
  ///
  /// Part of one transaction, so that all of it is under the one key or the other.
  ///
  /// What does not open stays as it is, in quarantine.
  func sealAnew(
    from old: UnlockedKeys, to new: UnlockedKeys, device: ObjectID,
    progress: (SyncProgress) -> Void
  ) throws(JournalError) {
    let total =
      try one("SELECT COUNT(*) FROM revisions") { $0.number(0).map { Int($0) } } ?? 0
    var renamed: [Digest: Digest] = [:]
    var last: Int64 = 0
    var done = 0
    while true {
      progress(SyncProgress(.sealing, done: done, total: total))
      let batch = try revisions(after: last, limit: Self.step)
      for stored in batch {
        last = stored.rowID
        done += 1
        guard stored.state != .quarantined else { continue }
        guard let record = try? stored.sealed.open(with: old) else {
          try setState(.quarantined, rowID: stored.rowID)
          continue
        }
        let again = record.with(
          parents: record.parents.map { renamed[$0] ?? $0 }, device: record.device ?? device,
          superseded: record.superseded)
        let sealed = try SealedRevision(
          sealing: again, revision: stored.sealed.revision, under: new)
        renamed[stored.sealed.hash] = sealed.hash
        try replace(stored.rowID, with: sealed)
      }
      guard batch.count == Self.step else { break }
    }
    try sealItemsAnew(from: old, to: new)
  }

  /// Seals local items and the activity log anew.
  func sealItemsAnew(from old: UnlockedKeys, to new: UnlockedKeys) throws(JournalError) {
    try sealItemsAnew("items", key: "name", from: old, to: new)
    try sealItemsAnew("activity", key: "id", from: old, to: new)
  }

  /// Seals states that a merge withdrew, and that bear the number of `sealed`, under numbers of
  /// their own, so that each state in a history can be named; they never leave this device.
  func renumberHistory(
    beside sealed: SealedRevision, _ keys: UnlockedKeys, device: ObjectID
  ) throws(JournalError) {
    let shown = try current(sealed.id)?.rowID
    // The older ones first, and each in its place: the order in which they were made stays.
    for other in try lineage(of: sealed.id, keys).reversed()
    where other.stored.sealed.revision == sealed.revision
      && other.stored.sealed.hash != sealed.hash && other.stored.state == .history
      && other.stored.rowID != shown
    {
      guard let record = other.record else { continue }
      let again = try SealedRevision(
        sealing: record.with(
          parents: record.parents, device: record.device ?? device, superseded: record.superseded),
        revision: try highestRevision(of: sealed.id) + 1, under: keys)
      try replace(other.stored.rowID, with: again)
    }
  }

  /// Seals the rows of a table of local items anew; what does not open is dropped, since everything
  /// in there can be made or asked for again.
  private func sealItemsAnew(
    _ table: String, key: String, from old: UnlockedKeys, to new: UnlockedKeys
  ) throws(JournalError) {
    let items = try all("SELECT \(key), oid, blob FROM \(table)") {
      row -> (key: DatabaseValue, oid: ObjectID, blob: [UInt8])? in
      guard let oid = row.id(1), let blob = row.bytes(2) else { return nil }
      return (key: row[0], oid: oid, blob: blob)
    }
    for item in items {
      guard
        let content = try? old.keyring.open(
          item.blob.span, .localItem, oid: item.oid, revision: nil, uid: old.uid)
      else {
        try run("DELETE FROM \(table) WHERE \(key) = ?", [item.key])
        continue
      }
      let blob = content.withBytes {
        new.keyring.seal($0, .localItem, oid: item.oid, revision: 0, uid: new.uid)
      }
      try run(
        "UPDATE \(table) SET epoch = ?, blob = ? WHERE \(key) = ?",
        [Int64(new.keyring.epoch), Data(blob), item.key])
    }
  }
}
