// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Migrations
import VaultProtocol

extension PostgresStore {
  /// Brings the schema up to date, one process at a time; the others wait and find it done.
  ///
  /// All missing steps are one transaction.
  ///
  /// - Throws: ``StoreError/damaged(_:)`` for a database made by a newer program or another text.
  static func migrate(
    _ pool: Pool, to steps: [Migration], mustExist: Bool = false, now: Timestamp
  ) async throws(StoreError) {
    let result: Result<Void, StoreError>
    do throws(PostgresError) {
      result = try await pool.withConnection { (connection) async throws(PostgresError) in
        // The lock goes with the transaction, so that PgBouncer may stand between.
        try await connection.pipeline([
          Statement("BEGIN"),
          Statement("SELECT pg_advisory_xact_lock(hashtextextended('vault_migrations', 0))"),
        ])
        let there = try await connection.run(
          Statement("SELECT to_regclass('schema_migrations') IS NOT NULL"))
        if mustExist, try !(there.first?.bool(0) ?? false) {
          try await connection.run(Statement("ROLLBACK"))
          return .failure(.damaged("there is no vault in it"))
        }
        try await connection.script(
          """
          SET LOCAL client_min_messages = warning;
          CREATE TABLE IF NOT EXISTS schema_migrations (
            number bigint NOT NULL PRIMARY KEY, checksum text NOT NULL, at bigint NOT NULL
          )
          """)
        let rows = try await connection.run(
          Statement("SELECT number, checksum FROM schema_migrations"))
        var done: [Int: String] = [:]
        for row in rows { done[Int(try row.int8(0))] = try row.text(1) }
        if let fault = fault(done, steps) {
          try await connection.run(Statement("ROLLBACK"))
          return .failure(fault)
        }
        for step in steps where done[step.number] == nil {
          try await connection.script(step.sql, within: .seconds(3_600))
          try await connection.run(
            Statement(
              "INSERT INTO schema_migrations VALUES ($1::bigint, $2::text, $3::bigint)",
              [.number(step.number), .text(step.checksum), .time(now)]))
        }
        try await connection.run(Statement("COMMIT"))
        return .success(())
      }
    } catch {
      throw StoreError(error)
    }
    try result.get()
  }

  private static func fault(_ done: [Int: String], _ steps: [Migration]) -> StoreError? {
    guard done.keys.allSatisfy({ number in steps.contains { $0.number == number } }) else {
      return .damaged("the database was made by a newer vaultd: use that one")
    }
    let altered = steps.first { step in
      done[step.number].map { $0 != step.checksum } ?? false
    }
    return altered.map { .damaged("the schema's step \($0.number) is not the one that shipped") }
  }
}
