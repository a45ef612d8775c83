// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow

extension StoreTransaction {
  private static let columns =
    "v.id, v.record_id, v.revision, v.state, v.epoch, v.blob_hash, v.blob"

  func stored(_ row: GRDB.Row) -> StoredRevision? {
    guard let rowID = row.number(0), let id = row.id(1), let revision = row.unsigned(2),
      let state = row.number(3).flatMap({ RevisionState(rawValue: Int($0)) }),
      let epoch = row.epoch(4), let hash = row.digest(5), let blob = row.bytes(6)
    else { return nil }
    return StoredRevision(
      rowID: rowID, state: state,
      sealed: SealedRevision(id: id, revision: revision, epoch: epoch, hash: hash, blob: blob))
  }

  /// Keeps a revision; it is not shown before ``show(_:rowID:)``.
  ///
  /// - Returns: Its place in the order of arrival.
  func insert(_ sealed: SealedRevision, state: RevisionState) throws(JournalError) -> Int64 {
    try run(
      """
      INSERT INTO revisions (record_id, revision, state, epoch, blob_hash, blob)
      VALUES (?, ?, ?, ?, ?, ?)
      """,
      [
        sealed.id.data, Int64(clamping: sealed.revision), state.rawValue, Int64(sealed.epoch),
        sealed.hash.data, Data(sealed.blob),
      ])
    return db.lastInsertedRowID
  }

  /// Makes the revision in `rowID` the one that is shown of its record, and stamps the change.
  func show(_ id: ObjectID, rowID: Int64) throws(JournalError) {
    try run(
      """
      INSERT INTO records (record_id, current, stamp)
      VALUES (?, ?, (SELECT COALESCE(MAX(stamp), 0) + 1 FROM records))
      ON CONFLICT (record_id) DO UPDATE SET current = excluded.current, stamp = excluded.stamp
      """, [id.data, rowID])
  }

  /// The highest revision number of a record on this device, whatever its state; 0 for none.
  func highestRevision(of id: ObjectID) throws(JournalError) -> UInt64 {
    try one("SELECT COALESCE(MAX(revision), 0) FROM revisions WHERE record_id = ?", [id.data]) {
      $0.unsigned(0)
    } ?? 0
  }

  /// The revision that is shown of a record.
  func current(_ id: ObjectID) throws(JournalError) -> StoredRevision? {
    try one(
      """
      SELECT \(Self.columns) FROM records r JOIN revisions v ON v.id = r.current
      WHERE r.record_id = ?
      """, [id.data], stored)
  }

  /// One revision of a record.
  func revision(_ id: ObjectID, _ revision: UInt64) throws(JournalError) -> StoredRevision? {
    try one(
      """
      SELECT \(Self.columns) FROM revisions v WHERE v.record_id = ? AND v.revision = ?
      ORDER BY v.state, v.id DESC
      """,
      [id.data, Int64(clamping: revision)], stored)
  }

  /// The revision in `rowID`.
  func revision(rowID: Int64) throws(JournalError) -> StoredRevision? {
    try one("SELECT \(Self.columns) FROM revisions v WHERE v.id = ?", [rowID], stored)
  }

  /// The revision of a record whose blob hashes to `hash`.
  func revision(_ id: ObjectID, hash: Digest) throws(JournalError) -> StoredRevision? {
    try one(
      "SELECT \(Self.columns) FROM revisions v WHERE v.record_id = ? AND v.blob_hash = ?",
      [id.data, hash.data], stored)
  }

  /// All revisions of a record on this device, newest first.
  func revisions(of id: ObjectID) throws(JournalError) -> [StoredRevision] {
    try all(
      """
      SELECT \(Self.columns) FROM revisions v WHERE v.record_id = ? ORDER BY v.revision DESC
      """, [id.data], stored)
  }

  /// The newest acknowledged revision of a record: what a merge starts from.
  func base(of id: ObjectID) throws(JournalError) -> StoredRevision? {
    try one(
      """
      SELECT \(Self.columns) FROM revisions v WHERE v.record_id = ? AND v.state = 2
      ORDER BY v.revision DESC
      """, [id.data], stored)
  }

  /// The pending revisions of one record, oldest first.
  func pending(of id: ObjectID) throws(JournalError) -> [StoredRevision] {
    try all(
      """
      SELECT \(Self.columns) FROM revisions v WHERE v.record_id = ? AND v.state = 1
      ORDER BY v.revision
      """, [id.data], stored)
  }

  /// How many records have something that no server acknowledged.
  func pendingRecordCount() throws(JournalError) -> Int {
    try one("SELECT COUNT(DISTINCT record_id) FROM revisions WHERE state = 1") {
      $0.number(0).map { Int($0) }
    } ?? 0
  }

  /// Gives a revision another state.
  func setState(_ state: RevisionState, rowID: Int64) throws(JournalError) {
    try run("UPDATE revisions SET state = ? WHERE id = ?", [state.rawValue, rowID])
  }

  /// Acknowledges one revision: it becomes the base, the base before it and all older pending
  /// revisions of its record become history.
  func acknowledge(_ revision: StoredRevision) throws(JournalError) {
    try run(
      """
      UPDATE revisions SET state = 3
      WHERE record_id = ? AND id <> ? AND ((state = 1 AND revision < ?) OR state = 2)
      """,
      [revision.sealed.id.data, revision.rowID, Int64(clamping: revision.sealed.revision)])
    try setState(.base, rowID: revision.rowID)
  }

  /// Forgets a revision that is shown nowhere.
  func delete(rowID: Int64) throws(JournalError) {
    try run("DELETE FROM revisions WHERE id = ?", [rowID])
  }

  /// The shown revisions that changed after `stamp`, in the order of their stamps.
  func changed(
    after stamp: Int64, limit: Int
  ) throws(JournalError) -> [(stamp: Int64, revision: StoredRevision)] {
    try all(
      """
      SELECT \(Self.columns), r.stamp FROM records r JOIN revisions v ON v.id = r.current
      WHERE r.stamp > ? ORDER BY r.stamp LIMIT ?
      """, [stamp, limit]
    ) { row in
      guard let revision = stored(row), let stamp = row.number(7) else { return nil }
      return (stamp, revision)
    }
  }

  /// The stamp of the latest change; 0 before any.
  func latestStamp() throws(JournalError) -> Int64 {
    try one("SELECT COALESCE(MAX(stamp), 0) FROM records") { $0.number(0) } ?? 0
  }

  /// The revisions in quarantine.
  func quarantined() throws(JournalError) -> [StoredRevision] {
    try all("SELECT \(Self.columns) FROM revisions v WHERE v.state = 4 ORDER BY v.id", [], stored)
  }
}

extension StoreTransaction {
  /// The revisions in a commit, in its order.
  func revisions(inCommit id: [UInt8]) throws(JournalError) -> [StoredRevision] {
    try all(
      """
      SELECT \(Self.columns) FROM commit_records c JOIN revisions v ON v.id = c.revision_id
      WHERE c.commit_id = ? ORDER BY c.place
      """, [Data(id)], stored)
  }
}

extension StoreTransaction {
  /// How many revisions there are.
  func revisionCount() throws(JournalError) -> Int {
    try one("SELECT COUNT(*) FROM revisions") { $0.number(0).map { Int($0) } } ?? 0
  }

  /// Revisions of any state in the order of arrival, after the one in `rowID`.
  func revisions(after rowID: Int64, limit: Int) throws(JournalError) -> [StoredRevision] {
    try all(
      "SELECT \(Self.columns) FROM revisions v WHERE v.id > ? ORDER BY v.id LIMIT ?",
      [rowID, limit], stored)
  }

  /// Shows a record no more; its revisions stay.
  func hide(_ id: ObjectID) throws(JournalError) {
    try run("DELETE FROM records WHERE record_id = ?", [id.data])
  }

  /// Gives a revision another seal of the same content, in its place.
  func replace(_ rowID: Int64, with sealed: SealedRevision) throws(JournalError) {
    try run(
      "UPDATE revisions SET revision = ?, epoch = ?, blob_hash = ?, blob = ? WHERE id = ?",
      [
        Int64(clamping: sealed.revision), Int64(sealed.epoch), sealed.hash.data, Data(sealed.blob),
        rowID,
      ])
  }
}
