// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow

/// A commit that was sent and has no answer yet.
struct FrozenCommit: Sendable {
  let id: [UInt8]
  let baseSeq: UInt64
  let generation: UInt32
  let epoch: UInt32
  let head: [UInt8]
  let revisions: [StoredRevision]
}

extension StoreTransaction {
  /// The vault as the server states it.
  func vaultRows() throws(JournalError) -> [KeyFlow.Row] {
    try all("SELECT record_id, revision, blob_hash FROM vault_rows") { row in
      guard let id = row.id(0), let revision = row.unsigned(1), let hash = row.digest(2)
      else { return nil }
      return KeyFlow.Row(id: id, revision: revision, hash: hash)
    }
  }

  /// What the server states of one record.
  func vaultRow(_ id: ObjectID) throws(JournalError) -> KeyFlow.Row? {
    try one(
      "SELECT revision, blob_hash FROM vault_rows WHERE record_id = ?", [id.data]
    ) { row in
      guard let revision = row.unsigned(0), let hash = row.digest(1) else { return nil }
      return KeyFlow.Row(id: id, revision: revision, hash: hash)
    }
  }

  /// Notes what the server states of one record.
  func setVaultRow(_ row: KeyFlow.Row) throws(JournalError) {
    try run(
      "INSERT OR REPLACE INTO vault_rows (record_id, revision, blob_hash) VALUES (?, ?, ?)",
      [row.id.data, Int64(clamping: row.revision), row.hash.data])
  }

  /// Forgets what the server stated: before a new beginning, a join, or after a deletion.
  func dropVaultRows() throws(JournalError) {
    try run("DELETE FROM vault_rows")
  }

  /// The commit that has no answer yet.
  func frozenCommit() throws(JournalError) -> FrozenCommit? {
    let commit = try one(
      "SELECT commit_id, base_seq, generation, epoch, head FROM commits LIMIT 1"
    ) { row -> FrozenCommit? in
      guard let id = row.bytes(0), let base = row.unsigned(1), let generation = row.epoch(2),
        let epoch = row.epoch(3), let head = row.bytes(4)
      else { return nil }
      return FrozenCommit(
        id: id, baseSeq: base, generation: generation, epoch: epoch, head: head, revisions: [])
    }
    guard let commit else { return nil }
    return FrozenCommit(
      id: commit.id, baseSeq: commit.baseSeq, generation: commit.generation, epoch: commit.epoch,
      head: commit.head, revisions: try revisions(inCommit: commit.id))
  }

  /// Freezes a commit before it is sent for the first time.
  func freeze(_ commit: FrozenCommit) throws(JournalError) {
    try run(
      "INSERT INTO commits (commit_id, base_seq, generation, epoch, head) VALUES (?, ?, ?, ?, ?)",
      [
        Data(commit.id), Int64(clamping: commit.baseSeq), Int64(commit.generation),
        Int64(commit.epoch), Data(commit.head),
      ])
    for (place, revision) in commit.revisions.enumerated() {
      try run(
        "INSERT INTO commit_records (commit_id, place, revision_id) VALUES (?, ?, ?)",
        [Data(commit.id), place, revision.rowID])
    }
  }

  /// Forgets the frozen commit; its revisions keep their states.
  func dissolveCommit() throws(JournalError) {
    try run("DELETE FROM commits")
  }

  /// Keeps a verified head.
  func setHead(_ head: [UInt8], at point: HeadPoint) throws(JournalError) {
    try run(
      "INSERT OR REPLACE INTO heads (generation, seq, head_hash, head) VALUES (?, ?, ?, ?)",
      [Int64(point.generation), Int64(clamping: point.seq), point.hash.data, Data(head)])
  }

  /// A verified head that this device kept.
  func head(generation: UInt32, seq: UInt64) throws(JournalError) -> (hash: Digest, blob: [UInt8])?
  {
    try one(
      "SELECT head_hash, head FROM heads WHERE generation = ? AND seq = ?",
      [Int64(generation), Int64(clamping: seq)]
    ) { row in
      guard let hash = row.digest(0), let blob = row.bytes(1) else { return nil }
      return (hash, blob)
    }
  }
}
