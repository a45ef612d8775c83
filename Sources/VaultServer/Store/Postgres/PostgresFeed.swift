// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Where the vault stands.
  public func vault(caller: Caller, now: Timestamp) async throws(StoreError) -> VaultState {
    try await read(caller, now: now).0
  }

  /// A page of the feed: one snapshot, one round trip.
  public func changes(
    _ request: FeedRequest, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> FeedPage {
    var statements = [rowsStatement(request, caller.user)]
    if let pin = request.headsFrom { statements.append(headsStatement(from: pin, caller.user)) }
    let (vault, results) = try await read(caller, now: now, inSnapshot: true, statements)
    let start = FeedCursor(generation: vault.generation, seq: 0, record: nil)
    if let cursor = request.cursor,
      cursor.generation != vault.generation || cursor.seq > vault.head.seq
    {
      return FeedPage(
        isReset: true, vault: vault, rows: [], heads: [vault.head], cursor: start,
        hasMore: vault.recordCount > 0)
    }
    var rows: [FeedRow] = []
    rows.reserveCapacity(results[0].count)
    var hasMore = false
    for row in results[0] {
      var columns = Columns(row)
      hasMore = try columns.bool()
      rows.append(
        FeedRow(
          record: try columns.id(), revision: try columns.number(), seq: try columns.number(),
          hash: try columns.hash(), blob: request.rowsOnly ? nil : try columns.data()))
    }
    var heads: [Head] = []
    if request.headsFrom != nil {
      for row in results[1] {
        var columns = Columns(row)
        heads.append(
          Head(seq: try columns.number(), blob: try columns.data(), hash: try columns.hash()))
      }
    }
    var end = FeedCursor(generation: vault.generation, seq: vault.head.seq, record: nil)
    if hasMore, let last = rows.last {
      end.seq = last.seq
      end.record = last.record
    }
    return FeedPage(
      isReset: false, vault: vault, rows: rows, heads: heads.isEmpty ? [vault.head] : heads,
      cursor: end, hasMore: hasMore)
  }

  /// The rows after the cursor, up to the page's limit, each with whether rows are left after all.
  ///
  /// The first step finds the page's end from sizes alone. How far it looks ahead comes from the
  /// vault's mean blob; a page may so end early where blobs at its start are much smaller.
  private func rowsStatement(_ request: FeedRequest, _ user: UserID) -> Statement {
    let blob = request.rowsOnly ? "" : ", r.blob"
    let size = request.rowsOnly ? "56" : "octet_length(r.blob)"
    let most = max(1, request.limit / (request.rowsOnly ? 56 : Limits.smallestBlobBytes) + 1)
    let ahead =
      request.rowsOnly
      ? "$4::bigint"
      : """
      (SELECT least($4::bigint, greatest(64,
        2 * $5::bigint * v.record_count / greatest(v.bytes, 1) + 1))
        FROM vaults v WHERE v.user_id = $1::uuid)
      """
    return Statement(
      """
      WITH page AS MATERIALIZED (
        SELECT seq, record_id FROM (
          SELECT r.seq, r.record_id,
            sum(\(size)) OVER (ORDER BY r.seq, r.record_id ROWS UNBOUNDED PRECEDING) AS total,
            row_number() OVER (ORDER BY r.seq, r.record_id ROWS UNBOUNDED PRECEDING) AS number
          FROM (
            SELECT r.* FROM records r
            WHERE r.user_id = $1::uuid AND r.seq > 0
              AND (r.seq, r.record_id) > ($2::bigint, $3::uuid)
            ORDER BY r.seq, r.record_id LIMIT \(ahead)) r) sized
        WHERE total <= $5::bigint OR number = 1
        ORDER BY seq DESC, record_id DESC LIMIT 1)
      SELECT EXISTS (
          SELECT 1 FROM records r
          WHERE r.user_id = $1::uuid AND r.seq > 0
            AND (r.seq, r.record_id) > ((SELECT seq FROM page), (SELECT record_id FROM page))),
        r.record_id, r.revision, r.seq, r.blob_hash\(blob)
      FROM records r
      WHERE r.user_id = $1::uuid AND r.seq > 0
        AND (r.seq, r.record_id) > ($2::bigint, $3::uuid)
        AND (r.seq, r.record_id) <= ((SELECT seq FROM page), (SELECT record_id FROM page))
      ORDER BY r.seq, r.record_id
      """,
      [
        .id(user), .number(request.cursor?.seq ?? 0),
        .uuid(request.cursor.map { $0.record?.number ?? .max } ?? .max),
        .number(most), .number(max(0, request.limit)),
      ],
      name: request.rowsOnly ? "feed_rows" : "feed")
  }

  private func headsStatement(from pin: UInt64, _ user: UserID) -> Statement {
    Statement(
      """
      SELECT c.seq, c.head, c.head_hash FROM vaults v
        CROSS JOIN LATERAL vault_head_path($2::bigint, v.seq) AS path (seq)
        CROSS JOIN LATERAL (
          SELECT * FROM commits h WHERE h.user_id = v.user_id AND h.seq = path.seq OFFSET 0) c
      WHERE v.user_id = $1::uuid ORDER BY c.seq
      """,
      [.id(user), .number(pin)], name: "heads")
  }
}
