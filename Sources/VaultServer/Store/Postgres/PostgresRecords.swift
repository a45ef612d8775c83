// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
public import VaultProtocol

extension PostgresStore {
  /// The rows asked for, in order, until their blobs exceed `limit` bytes.
  static func fetching(_ rows: [RowKey], limit: Int, of user: UserID) -> Statement {
    // By key for each, also where the planner knows nothing of the table yet: flattened into a join
    // it may compare each of them with all of the user's rows.
    let row = """
      SELECT s.revision, s.blob_hash, s.blob FROM records s
      WHERE s.user_id = $1::uuid AND s.record_id = n.record_id AND s.blob_hash = n.blob_hash OFFSET 0
      """
    return Statement(
      """
      SELECT n.record_id, r.revision, r.blob_hash, r.blob FROM (
        SELECT a.*, sum(a.size) OVER (ORDER BY a.i ROWS UNBOUNDED PRECEDING) AS total FROM (
          SELECT n.i, n.record_id, n.blob_hash, octet_length(r.blob) AS size
          FROM unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS n (record_id, blob_hash, i)
            LEFT JOIN LATERAL (\(row)) r ON true) a) n
        LEFT JOIN LATERAL (\(row)) r ON true
      WHERE n.i = 1 OR coalesce(n.total, 0) <= $4::bigint
      ORDER BY n.i
      """,
      [
        .id(user), .ids(rows.map(\.record)), .hashes(rows.map(\.hash)),
        .number(max(0, limit)),
      ], name: "fetch")
  }

  /// Blobs by their rows, as many as fit.
  public func fetch(
    _ rows: [RowKey], limit: Int, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> [FetchedRow] {
    let statement = Self.fetching(rows, limit: limit, of: caller.user)
    let (_, results) = try await read(caller, now: now, [statement])
    var fetched: [FetchedRow] = []
    for row in results[0] {
      var columns = Columns(row)
      let record: RecordID = try columns.id()
      fetched.append(
        columns.skipNull()
          ? .moved(record) : .current(try Revision(of: record, columns: &columns)))
    }
    return fetched
  }

  /// A record's current revision, or nothing.
  public func record(
    _ id: RecordID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Revision? {
    let statement = Statement(
      """
      SELECT revision, blob_hash, blob FROM records
      WHERE user_id = $1::uuid AND record_id = $2::uuid
      """, [.id(caller.user), .id(id)], name: "record")
    return try await revision(of: id, caller, now: now, statement)
  }

  /// One revision of a record, the current one or one still kept, or nothing.
  public func revision(
    _ number: UInt64, of id: RecordID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Revision? {
    let statement = Statement(
      """
      SELECT revision, blob_hash, blob FROM records
      WHERE user_id = $1::uuid AND record_id = $2::uuid AND revision = $3::bigint
      UNION ALL
      SELECT revision, blob_hash, blob FROM revisions
      WHERE user_id = $1::uuid AND record_id = $2::uuid AND revision = $3::bigint
      """, [.id(caller.user), .id(id), .number(number)], name: "revision")
    return try await revision(of: id, caller, now: now, statement)
  }

  /// A record's revisions still kept, newest first.
  public func revisions(
    of id: RecordID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> [RevisionRow] {
    let statement = Statement(
      """
      SELECT revision, blob_hash, octet_length(blob)::bigint, seq FROM records
      WHERE user_id = $1::uuid AND record_id = $2::uuid
      UNION ALL
      SELECT revision, blob_hash, octet_length(blob)::bigint, seq FROM revisions
      WHERE user_id = $1::uuid AND record_id = $2::uuid
      ORDER BY revision DESC
      """, [.id(caller.user), .id(id)], name: "revisions")
    let (_, results) = try await read(caller, now: now, [statement])
    var kept: [RevisionRow] = []
    for row in results[0] {
      var columns = Columns(row)
      kept.append(
        RevisionRow(
          number: try columns.number(), hash: try columns.hash(), bytes: try columns.number(),
          seq: try columns.number()))
    }
    return kept
  }

  private func revision(
    of id: RecordID, _ caller: Caller, now: Timestamp, _ statement: Statement
  ) async throws(StoreError) -> Revision? {
    let (_, results) = try await read(caller, now: now, [statement])
    guard let row = results[0].first else { return nil }
    var columns = Columns(row)
    return try Revision(of: id, columns: &columns)
  }
}

extension Revision {
  /// Number, hash and blob.
  fileprivate init(of record: RecordID, columns: inout Columns) throws(StoreError) {
    let number: UInt64 = try columns.number()
    let hash: BlobHash = try columns.hash()
    self.init(record: record, number: number, blob: try columns.data(), hash: hash)
  }
}
