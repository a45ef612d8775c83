// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
public import VaultProtocol

extension SQLiteStore {
  /// A page of what changed since a cursor, of one snapshot.
  public func changes(_ request: FeedRequest, caller: Caller, now: Timestamp)
    async throws(StoreError) -> FeedPage
  {
    let policy = policy
    return try await read(as: caller, now: now) { db, row in
      let vault = try VaultRow.present(row.user, policy, in: db)
      return try FeedReader(request: request, vault: vault).page(in: db)
    }
  }

  /// Blobs by their rows.
  public func fetch(_ rows: [RowKey], limit: Int, caller: Caller, now: Timestamp)
    async throws(StoreError) -> [FetchedRow]
  {
    let policy = policy
    return try await read(as: caller, now: now) { db, session in
      _ = try VaultRow.present(session.user, policy, in: db)
      var answers: [FetchedRow] = []
      var bytes = 0
      for key in rows {
        let row = try db.row(
          """
          SELECT revision, blob FROM records
          WHERE user_id = ? AND record_id = ? AND blob_hash = ?
          """, [session.user, key.record, key.hash])
        guard let row else {
          answers.append(.moved(key.record))
          continue
        }
        let blob = try row.value(1, as: Data.self)
        bytes += blob.count
        if bytes > limit, !answers.isEmpty { break }
        answers.append(
          .current(
            Revision(record: key.record, number: try row.value(0), blob: blob, hash: key.hash)))
      }
      return answers
    }
  }

  /// A record's current revision.
  public func record(_ id: RecordID, caller: Caller, now: Timestamp) async throws(StoreError)
    -> Revision?
  {
    try await revision(
      of: id, caller: caller, now: now,
      "SELECT revision, blob, blob_hash FROM records WHERE user_id = ?1 AND record_id = ?2", [])
  }

  /// One revision of a record.
  public func revision(_ number: UInt64, of id: RecordID, caller: Caller, now: Timestamp)
    async throws(StoreError) -> Revision?
  {
    try await revision(
      of: id, caller: caller, now: now,
      """
      SELECT revision, blob, blob_hash FROM records
      WHERE user_id = ?1 AND record_id = ?2 AND revision = ?3
      UNION ALL
      SELECT revision, blob, blob_hash FROM revisions
      WHERE user_id = ?1 AND record_id = ?2 AND revision = ?3
      """, [number])
  }

  private func revision(
    of id: RecordID, caller: Caller, now: Timestamp, _ sql: String,
    _ further: [any ColumnValue & Sendable]
  ) async throws(StoreError) -> Revision? {
    let policy = policy
    return try await read(as: caller, now: now) { db, session in
      _ = try VaultRow.present(session.user, policy, in: db)
      return try db.row(sql, [session.user, id] + further).map { row in
        Revision(
          record: id, number: try row.value(0), blob: try row.value(1), hash: try row.value(2))
      }
    }
  }

  /// A record's revisions still kept, newest first.
  public func revisions(of id: RecordID, caller: Caller, now: Timestamp)
    async throws(StoreError) -> [RevisionRow]
  {
    let policy = policy
    return try await read(as: caller, now: now) { db, session in
      _ = try VaultRow.present(session.user, policy, in: db)
      var rows: [RevisionRow] = []
      for table in ["records", "revisions"] {
        try db.forEach(
          """
          SELECT revision, blob_hash, length(blob), seq FROM \(table)
          WHERE user_id = ? AND record_id = ? ORDER BY revision DESC
          """, [session.user, id]
        ) { row in
          rows.append(
            RevisionRow(
              number: try row.value(0), hash: try row.value(1), bytes: try row.value(2),
              seq: try row.value(3)))
          return true
        }
      }
      return rows
    }
  }
}

/// Reads one page in one snapshot.
private struct FeedReader {
  /// Bytes of a row without its blob: id, revision, hash.
  private static let rowBytes = 56

  var request: FeedRequest
  var vault: VaultRow

  func page(in db: Database) throws -> FeedPage {
    let state = vault.state
    let start = FeedCursor(generation: state.generation, seq: 0, record: nil)
    let cursor = request.cursor ?? start
    guard cursor.generation == state.generation, cursor.seq <= state.head.seq else {
      return FeedPage(
        isReset: true, vault: state, rows: [], heads: [state.head], cursor: start,
        hasMore: state.recordCount > 0)
    }
    var page = FeedPage(
      isReset: false, vault: state, rows: [], heads: try heads(in: db),
      cursor: FeedCursor(generation: state.generation, seq: state.head.seq, record: nil),
      hasMore: false)
    var bytes = 0
    try db.forEach(
      """
      SELECT seq, record_id, revision, blob_hash\(request.rowsOnly ? "" : ", blob") FROM records
      WHERE user_id = ? AND (seq, record_id) > (?, ?) ORDER BY seq, record_id
      """, [vault.user] + place(after: cursor)
    ) { row in
      let blob = request.rowsOnly ? nil : try row.value(4, as: Data.self)
      bytes += blob?.count ?? Self.rowBytes
      if bytes > request.limit, let last = page.rows.last {
        page.hasMore = true
        page.cursor.seq = last.seq
        page.cursor.record = last.record
        return false
      }
      page.rows.append(
        FeedRow(
          record: try row.value(1), revision: try row.value(2), seq: try row.value(0),
          hash: try row.value(3), blob: blob))
      return true
    }
    return page
  }

  /// The (seq, record id) that all wanted rows come after; one zero byte sorts before all ids.
  private func place(after cursor: FeedCursor) -> [any ColumnValue] {
    if let record = cursor.record { return [cursor.seq, record] }
    return [cursor.seq + 1, Data([0])]
  }

  private func heads(in db: Database) throws -> [Head] {
    let newest = vault.state.head
    let way = HeadPath.seqs(from: request.headsFrom ?? 0, to: newest.seq)
    let older = try way.dropLast().map { seq in
      guard
        let row = try db.row(
          "SELECT head, head_hash FROM commits WHERE user_id = ? AND seq = ?",
          [vault.user, seq])
      else { throw StoreError.damaged("the head of seq \(seq) is missing") }
      return Head(seq: seq, blob: try row.value(0), hash: try row.value(1))
    }
    return older + [newest]
  }
}
