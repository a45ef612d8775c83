// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import Sodium
import VaultProtocol

extension SyncEngine {
  /// Sends what is pending, commit by commit.
  ///
  /// - Returns: What went, and whether all of it did: false when the vault moved on meanwhile.
  func push(
    _ session: Session, _ options: SyncOptions
  ) async throws(JournalError) -> (SyncReport, isDone: Bool) {
    var report = SyncReport()
    let total = try journal.store.read { (store) throws(JournalError) in try store.pendingCount() }
    var resealing = Resealing()
    while true {
      guard let (commit, rows) = try freeze(session) else {
        guard try sealNext(&resealing, session) else { return (report, true) }
        continue
      }
      options.progress(
        resealing.progress
          ?? SyncProgress(.sending, done: report.sent, total: max(total, report.sent)))
      let isAccepted = try await send(commit, rows: rows, session)
      guard isAccepted else { return (report, false) }
      let anew = resealing.acknowledge(commit.revisions.count)
      report.resealed += anew
      report.sent += commit.revisions.count - anew
    }
  }

  /// Sends a commit again that has no answer yet, byte for byte, before anything else is done.
  func sendFrozen(_ session: Session) async throws(JournalError) -> SyncReport {
    var report = SyncReport()
    let frozen = try journal.store.read { (store) throws(JournalError) in
      try store.frozenCommit()
    }
    guard let frozen else { return report }
    if try await send(frozen, rows: nil, session) { report.sent += frozen.revisions.count }
    return report
  }

  /// The next commit, frozen, with the root's rows after it; `nil` when nothing is pending.
  private func freeze(
    _ session: Session
  ) throws(JournalError) -> (FrozenCommit, VaultRoot)? {
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    var rows = try rootAt(pin)
    let keys = session.keys
    let commit = try journal.store.write { (store) throws(JournalError) -> FrozenCommit? in
      guard let state = try store.state(), state.pin == pin, state.fits(keys) else {
        throw .keysChanged
      }
      let pending = try store.sendable(keys, device: state.device)
      guard !pending.isEmpty else { return nil }
      for revision in pending { rows.set(revision.sealed.row) }
      guard let blob = try store.head(generation: pin.generation, seq: pin.seq)?.blob,
        let last = try? Head(opening: blob, with: keys.keyring, uid: keys.uid)
      else { throw .incomplete }
      let time = UInt64(clamping: journal.environment.now().milliseconds)
      let head = last.next(
        after: pin.hash, root: rows.digest(), records: UInt32(clamping: rows.count),
        epoch: state.epoch, device: state.device, time: time)
      let commit = FrozenCommit(
        id: randomBytes(16), baseSeq: pin.seq, generation: pin.generation, epoch: state.epoch,
        head: head.seal(under: keys.keyring, uid: keys.uid), revisions: pending)
      try store.freeze(commit)
      return commit
    }
    return commit.map { ($0, rows) }
  }

  /// Sends a frozen commit: 200 acknowledges it, a refusal dissolves it, anything else leaves it.
  ///
  /// Says whether the server took it; its blobs stay pending if not. `rows` are the root's after it,
  /// where they are known.
  private func send(
    _ commit: FrozenCommit, rows: VaultRoot?, _ session: Session
  ) async throws(JournalError) -> Bool {
    let seq: UInt64
    do {
      seq = try await session.api.commit(commit.body)
    } catch {
      let isConflict = error.problem == .conflict || error.problem == .unprocessable
      let dissolving: [Problem] = [
        .conflict, .gone, .tooLarge, .unprocessable, .quotaExceeded, .malformed,
      ]
      if let problem = error.problem, dissolving.contains(problem) {
        try journal.store.write { (store) throws(JournalError) in try store.dissolveCommit() }
      }
      if isConflict { return false }
      throw try refused(error, session)
    }
    let point = HeadPoint(
      generation: commit.generation, seq: commit.baseSeq + 1,
      hash: Digest(ofBlob: commit.head.span))
    // Another seq than the one that the commit stands for is no answer to it.
    guard seq == point.seq else { throw .notAServer }
    try journal.store.write { (store) throws(JournalError) in
      guard try store.isFrozen(commit.id) else { return }
      try store.acknowledge(commit)
      try store.setHead(commit.head, at: point)
      try store.pruneHeads(before: point)
      try store.updateState { $0.pin = point }
      try store.dissolveCommit()
    }
    root = rows.map { ($0, point) }
    cursorIsBehind = true
    return true
  }
}

extension FrozenCommit {
  /// The request's body: the same bytes every time.
  var body: [UInt8] {
    var wire = WireCommit()
    wire.commitID = Data(id)
    wire.baseSeq = baseSeq
    wire.generation = generation
    wire.epoch = epoch
    wire.head = Data(head)
    wire.records = revisions.map { revision in
      var record = WireRecord()
      record.recordID = Data(revision.sealed.id.bytes)
      record.revision = revision.sealed.revision
      record.blob = Data(revision.sealed.blob)
      record.blobHash = Data(revision.sealed.hash.bytes)
      return record
    }
    return VaultAPI.encode(wire)
  }
}

extension SealedRevision {
  /// The row that the server will state.
  var row: Row { Row(id: id, revision: revision, hash: hash) }
}

extension StoreTransaction {
  /// What the next commit takes of the pending revisions, all sealed under the current epoch and
  /// above what the server states; those that are not are sealed anew first, and those that rotted
  /// are put aside.
  func sendable(
    _ keys: UnlockedKeys, device: ObjectID
  ) throws(JournalError) -> [StoredRevision] {
    while true {
      let batch = try pendingBatch(records: Limits.commitRecords, bytes: Limits.commitBytes)
      let rotten = batch.filter { !$0.sealed.isWhole }
      for revision in rotten { try putAside(revision, keys) }
      guard rotten.isEmpty else { continue }
      var seen: Set<ObjectID> = []
      var stale: Set<ObjectID> = []
      for revision in batch {
        let id = revision.sealed.id
        if revision.sealed.epoch != keys.keyring.epoch { stale.insert(id) }
        guard seen.insert(id).inserted else { continue }
        let stated = try vaultRow(id)?.revision ?? 0
        if revision.sealed.revision <= stated { stale.insert(id) }
      }
      for id in stale { try sealPendingAnew(id, keys, device: device) }
      guard stale.isEmpty else { continue }
      return try withoutLoneLoser(batch, keys)
    }
  }

  /// `batch` without a merge's loser at its end, whose winner would only come with the next commit.
  private func withoutLoneLoser(
    _ batch: [StoredRevision], _ keys: UnlockedKeys
  ) throws(JournalError) -> [StoredRevision] {
    guard batch.count > 1, let last = batch.last,
      try hasPending(of: last.sealed.id, after: last.rowID),
      let record = try? last.sealed.open(with: keys), record.superseded
    else { return batch }
    return batch.dropLast()
  }

  /// Seals a record's pending revisions anew, in their order, above all that is known of it.
  private func sealPendingAnew(
    _ id: ObjectID, _ keys: UnlockedKeys, device: ObjectID
  ) throws(JournalError) {
    var next = max(try highestRevision(of: id), try vaultRow(id)?.revision ?? 0) + 1
    var renamed: [Digest: Digest] = [:]
    let shown = try current(id)?.rowID
    for old in try pending(of: id) {
      guard let record = try? old.sealed.open(with: keys) else {
        try setState(.quarantined, rowID: old.rowID)
        continue
      }
      let again = record.with(
        parents: record.parents.map { renamed[$0] ?? $0 }, device: record.device ?? device,
        superseded: record.superseded)
      let sealed = try SealedRevision(sealing: again, revision: next, under: keys)
      renamed[old.sealed.hash] = sealed.hash
      let rowID = try insert(sealed, state: .pending)
      if shown == old.rowID { try show(id, rowID: rowID) }
      try delete(rowID: old.rowID)
      next += 1
    }
  }

  /// Acknowledges what a commit holds and notes the rows that the server states now.
  fileprivate func acknowledge(_ commit: FrozenCommit) throws(JournalError) {
    var last: [ObjectID: StoredRevision] = [:]
    for revision in commit.revisions { last[revision.sealed.id] = revision }
    for revision in last.values {
      try acknowledge(revision)
      try setVaultRow(revision.sealed.row)
      try unwant(revision.sealed.id)
    }
  }
}
