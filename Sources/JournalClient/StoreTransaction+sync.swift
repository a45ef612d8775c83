// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow

// What sync alone asks of the store.
extension StoreTransaction {
  /// The oldest pending revisions that can go, as many as one commit takes: a whole one always fits.
  ///
  /// What is changed here of a record whose newest state did not come yet is to be merged first.
  func pendingBatch(records: Int, bytes: Int) throws(JournalError) -> [StoredRevision] {
    let sizes = try all(
      """
      SELECT id, length(blob) FROM revisions
      WHERE state = 1 AND record_id NOT IN (SELECT record_id FROM wanted) ORDER BY id LIMIT ?
      """, [records]
    ) { row -> (id: Int64, bytes: Int)? in
      guard let id = row.number(0), let bytes = row.number(1) else { return nil }
      return (id, Int(bytes))
    }
    var sum = 0
    let fitting = sizes.prefix { size in
      sum += size.bytes
      return sum <= bytes
    }.count
    var batch: [StoredRevision] = []
    for size in sizes.prefix(max(1, fitting)) {
      guard let revision = try revision(rowID: size.id) else { continue }
      batch.append(revision)
    }
    return batch
  }

  /// Whether more of a record is pending after the revision in `rowID`.
  func hasPending(of id: ObjectID, after rowID: Int64) throws(JournalError) -> Bool {
    try one(
      "SELECT 1 FROM revisions WHERE record_id = ? AND state = 1 AND id > ? LIMIT 1",
      [id.data, rowID]
    ) { _ in true } ?? false
  }

  /// Whether any revision is pending.
  func hasPending() throws(JournalError) -> Bool {
    try one("SELECT 1 FROM revisions WHERE state = 1 LIMIT 1") { _ in true } ?? false
  }

  /// How many revisions are pending.
  func pendingCount() throws(JournalError) -> Int {
    try one("SELECT COUNT(*) FROM revisions WHERE state = 1") { $0.number(0).map { Int($0) } } ?? 0
  }

  /// Whether this device keeps anything of a record.
  func knows(_ id: ObjectID) throws(JournalError) -> Bool {
    try one("SELECT 1 FROM revisions WHERE record_id = ? LIMIT 1", [id.data]) { _ in true } ?? false
  }

  /// How many records there are, of any kind and state.
  func recordCount() throws(JournalError) -> Int {
    try one("SELECT COUNT(*) FROM records") { $0.number(0).map { Int($0) } } ?? 0
  }

  /// The ids of all records.
  func recordIDs() throws(JournalError) -> [ObjectID] {
    try all("SELECT record_id FROM records") { $0.id(0) }
  }

  /// Notes that the blob of a verified row is still to be fetched; `place` is its order of arrival.
  func want(_ row: KeyFlow.Row, place: Int) throws(JournalError) {
    try run(
      "INSERT OR REPLACE INTO wanted (record_id, revision, blob_hash, place) VALUES (?, ?, ?, ?)",
      [row.id.data, Int64(clamping: row.revision), row.hash.data, place])
  }

  /// The rows whose blobs are still to be fetched, the last arrived first.
  func wanted() throws(JournalError) -> [KeyFlow.Row] {
    try all("SELECT record_id, revision, blob_hash FROM wanted ORDER BY place DESC") { row in
      guard let id = row.id(0), let revision = row.unsigned(1), let hash = row.digest(2)
      else { return nil }
      return KeyFlow.Row(id: id, revision: revision, hash: hash)
    }
  }

  /// Notes that the blob of a record has come, or is another one now.
  func unwant(_ id: ObjectID) throws(JournalError) {
    try run("DELETE FROM wanted WHERE record_id = ?", [id.data])
  }

  /// Whether any blob is still to be fetched.
  func wantsAny() throws(JournalError) -> Bool {
    try one("SELECT 1 FROM wanted LIMIT 1") { _ in true } ?? false
  }

  /// Forgets which blobs were to be fetched.
  func dropWanted() throws(JournalError) {
    try run("DELETE FROM wanted")
  }

  /// Keeps the heads of the last thousand commits of the generation.
  func pruneHeads(before point: HeadPoint) throws(JournalError) {
    try run(
      "DELETE FROM heads WHERE generation < ? OR (generation = ? AND seq + 1000 < ?)",
      [Int64(point.generation), Int64(point.generation), Int64(clamping: point.seq)])
  }

  /// Whether the frozen commit is the one of `id`: a repeat of its acknowledgement changes nothing.
  func isFrozen(_ id: [UInt8]) throws(JournalError) -> Bool {
    try one("SELECT 1 FROM commits WHERE commit_id = ?", [Data(id)]) { _ in true } ?? false
  }
}
