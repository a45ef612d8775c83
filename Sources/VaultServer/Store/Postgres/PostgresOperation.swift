// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Synchronization
public import VaultProtocol

extension PostgresStore {
  /// Removes what has had its time; after a deletion, frees the room that it took too.
  public func sweep(now: Timestamp) async throws(StoreError) {
    _ = try await asOperator(
      ["sessions", "nonces", "deletions"].map {
        Statement("DELETE FROM \($0) WHERE expires_at <= $1::bigint", [.time(now)])
      })
    guard
      isVacuumDue.withLock({ isDue in
        defer { isDue = false }
        return isDue
      })
    else { return }
    do throws(PostgresError) {
      try await pool.withConnection { (connection) async throws(PostgresError) in
        try await connection.script(
          "VACUUM (SKIP_LOCKED) records, revisions, commits, keyrings, vaults, sessions, accounts",
          within: .seconds(3_600))
      }
    } catch {
      throw StoreError(error)
    }
  }

  /// A page of users with their sizes.
  public func users(
    after user: UserID?, limit: Int, now: Timestamp
  ) async throws(StoreError) -> [UserSize] {
    let rows = try await asOperator([
      Statement(
        """
        SELECT a.user_id, a.created_at, v.user_id IS NOT NULL, coalesce(v.record_count, 0),
          coalesce(v.bytes, 0), coalesce(v.history_bytes, 0),
          (SELECT count(*) FROM sessions s WHERE s.user_id = a.user_id
            AND s.ended_generation IS NULL AND s.expires_at > $1::bigint)
        FROM accounts a LEFT JOIN vaults v ON v.user_id = a.user_id
        WHERE a.user_id > $2::uuid OR $2::uuid IS NULL ORDER BY a.user_id LIMIT $3::bigint
        """,
        [.time(now), user.map { .id($0) } ?? .null, .number(max(0, limit))])
    ])
    var sizes: [UserSize] = []
    for row in rows[0] {
      var columns = Columns(row)
      sizes.append(
        UserSize(
          user: try columns.id(), createdAt: try columns.time(), hasVault: try columns.bool(),
          recordCount: try columns.number(), bytes: try columns.number(),
          historyBytes: try columns.number(), sessions: try columns.number()))
    }
    return sizes
  }

  /// One transaction that sees all users' rows.
  func asOperator(_ statements: [Statement]) async throws(StoreError) -> [Rows] {
    Array(try await exchange([.enterAsOperator] + statements).dropFirst())
  }
}
