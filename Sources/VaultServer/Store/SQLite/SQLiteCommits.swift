// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// Applies a commit, whole or nothing of it.
  public func apply(_ commit: Commit, caller: Caller, now: Timestamp) async throws(StoreError)
    -> CommitOutcome
  {
    let fault = commit.fault
    let policy = policy
    let outcome = try await write(as: caller, now: now) { db, row -> CommitOutcome in
      if let fault { return .refused(fault) }
      let vault = try VaultRow.present(row.user, policy, in: db)
      return try CommitWriter(commit: commit, vault: vault, policy: policy, now: now).apply(in: db)
    }
    if case .accepted = outcome { signals.moved(caller.user) }
    return outcome
  }
}

/// One commit on its way into the tables.
private struct CommitWriter {
  var commit: Commit
  var vault: VaultRow
  var policy: StorePolicy
  var now: Timestamp

  /// A record that the commit writes, as it is stored so far.
  private struct Target {
    var stored: (rowid: Int64, revision: UInt64, bytes: Int)?
    var revisions: [Revision] = []
  }

  /// Looks first and writes then, so that a refusal leaves nothing to take back.
  func apply(in db: Database) throws -> CommitOutcome {
    let state = vault.state
    let hash = RequestHash(of: commit)
    if let known = try VaultRow.known(commit.id, hash: hash, of: vault.user, in: db) {
      return known.isEqual ? .accepted(seq: known.seq) : .refused(.idReused)
    }
    guard commit.baseSeq == state.head.seq, commit.generation == state.generation,
      commit.epoch == state.epoch
    else { return .conflict(state) }

    var targets: [RecordID: Target] = [:]
    for revision in commit.revisions {
      var target = try targets[revision.record] ?? Target(stored: stored(revision.record, in: db))
      // Within the commit they ascend already.
      if target.revisions.isEmpty, let stored = target.stored, revision.number <= stored.revision {
        return .refused(.revisionNotGreater(revision.record, stored: stored.revision))
      }
      target.revisions.append(revision)
      targets[revision.record] = target
    }
    var after = state
    for target in targets.values {
      after.recordCount += target.stored == nil ? 1 : 0
      after.bytes += (target.revisions.last?.blob.count ?? 0) - (target.stored?.bytes ?? 0)
    }
    let isOver =
      try after.bytes > state.bytes && after.bytes > state.quotaBytes
      && growth(of: targets, in: db) > 0
      || after.recordCount > state.recordCount && after.recordCount > state.quotaRecords
    if isOver { return .quotaExceeded(state) }

    let seq = state.head.seq + 1
    // In the file's order: what one commit brings stands together, and is written and read so.
    let inOrder = targets.sorted {
      ($0.value.stored?.rowid ?? .max, $0.key) < ($1.value.stored?.rowid ?? .max, $1.key)
    }
    for (record, target) in inOrder {
      after.historyBytes += try write(target, of: record, seq: seq, in: db)
    }
    if after.historyBytes > state.historyBytes, after.historyBytes > policy.historyBytes {
      after.historyBytes -= try drop(after.historyBytes - policy.historyBytes, in: db)
    }
    try VaultRow.insert(commit, hash: hash, seq: seq, for: vault.user, in: db)
    try db.run(
      """
      UPDATE vaults SET seq = ?, record_count = ?, bytes = ?, history_bytes = ? WHERE user_id = ?
      """,
      [seq, after.recordCount, after.bytes, after.historyBytes, vault.user])
    return .accepted(seq: seq)
  }

  /// By how many bytes records grow, not counting those that are only sealed anew.
  private func growth(of targets: [RecordID: Target], in db: Database) throws -> Int {
    try targets.values.reduce(0) { total, target in
      guard let newest = target.revisions.last else { return total }
      guard let stored = target.stored else { return total + newest.blob.count }
      let header = try db.row(
        "SELECT substr(blob, 9, 4) FROM records WHERE rowid = ?", [stored.rowid])
      let epoch =
        try header?.value(0, as: Data.self).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } ?? 0
      let isResealed = newest.reseals(epoch: epoch, bytes: stored.bytes, in: vault.state.epoch)
      return isResealed ? total : total + newest.blob.count - stored.bytes
    }
  }

  private func stored(_ record: RecordID, in db: Database) throws
    -> (rowid: Int64, revision: UInt64, bytes: Int)?
  {
    guard
      let row = try db.row(
        "SELECT rowid, revision, length(blob) FROM records WHERE user_id = ? AND record_id = ?",
        [vault.user, record])
    else { return nil }
    return (try row.value(0), try row.value(1), try row.value(2))
  }

  /// Writes one record's revisions; by how much its history's bytes grew.
  private func write(_ target: Target, of record: RecordID, seq: UInt64, in db: Database) throws
    -> Int
  {
    guard let newest = target.revisions.last else { return 0 }
    var grown = 0
    if let stored = target.stored {
      try db.run(
        """
        INSERT INTO revisions (user_id, record_id, revision, seq, replaced_at, blob_hash, blob)
        SELECT user_id, record_id, revision, seq, ?, blob_hash, blob FROM records WHERE rowid = ?
        """, [now, stored.rowid])
      grown += stored.bytes
      try db.run(
        "UPDATE records SET revision = ?, seq = ?, blob_hash = ?, blob = ? WHERE rowid = ?",
        [newest.number, seq, newest.hash, newest.blob, stored.rowid])
    } else {
      try db.run(
        """
        INSERT INTO records (user_id, record_id, revision, seq, blob_hash, blob)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        [
          vault.user, record, newest.number, seq, newest.hash, newest.blob,
        ])
    }
    for older in target.revisions.dropLast() {
      try db.run(
        """
        INSERT INTO revisions (user_id, record_id, revision, seq, replaced_at, blob_hash, blob)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [
          vault.user, record, older.number, seq, now, older.hash, older.blob,
        ])
      grown += older.blob.count
    }
    let added = target.revisions.count - (target.stored == nil ? 1 : 0)
    if added > 0 { grown -= try prune(record, atMost: added + 1, in: db) }
    return grown
  }

  /// Drops the vault's revisions that were replaced first, `excess` bytes of them or a few more.
  private func drop(_ excess: Int, in db: Database) throws -> Int {
    var old: [Int64] = []
    var bytes = 0
    try db.forEach(
      """
      SELECT rowid, length(blob) FROM revisions WHERE user_id = ? ORDER BY replaced_at, rowid
      """, [vault.user]
    ) { row in
      old.append(try row.value(0))
      bytes += try row.value(1, as: Int.self)
      return bytes < excess
    }
    for rowid in old { try db.run("DELETE FROM revisions WHERE rowid = ?", [rowid]) }
    return bytes
  }

  /// Drops the oldest revisions that are neither young nor among the last kept; their bytes.
  ///
  /// Bounded by what was added, so that an edit's cost does not depend on how many there are.
  private func prune(_ record: RecordID, atMost count: Int, in db: Database) throws -> Int {
    var floor = Int64.max
    if policy.historyCount > 0 {
      let kept = try db.row(
        """
        SELECT revision FROM revisions WHERE user_id = ? AND record_id = ?
        ORDER BY revision DESC LIMIT 1 OFFSET ?
        """, [vault.user, record, policy.historyCount - 1])
      guard let kept else { return 0 }
      floor = try kept.value(0)
    }
    var old: [(rowid: Int64, bytes: Int)] = []
    try db.forEach(
      """
      SELECT rowid, length(blob), replaced_at FROM revisions
      WHERE user_id = ? AND record_id = ? AND revision < ? ORDER BY revision LIMIT ?
      """, [vault.user, record, floor, count]
    ) { row in
      guard try row.value(2) <= now - policy.historyAge else { return false }
      old.append((try row.value(0), try row.value(1)))
      return true
    }
    for revision in old {
      try db.run("DELETE FROM revisions WHERE rowid = ?", [revision.rowid])
    }
    return old.reduce(0) { $0 + $1.bytes }
  }
}
