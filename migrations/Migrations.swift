// SPDX-License-Identifier: Apache-2.0

/// One step of a schema: SQL that is never changed once shipped.
public struct Migration: Equatable, Sendable {
  /// Its place in the order, from 1.
  public let number: Int
  /// The file's name without its endings, as in `v0001_vault`.
  public let name: String
  /// The statements, run in one transaction.
  public let sql: String
  /// The first 32 bytes of the SHA-512 of `sql`, in hex, written down when the file shipped.
  ///
  /// A database remembers it, so that one made by another text is refused.
  public let checksum: String

  /// A step; its text is what SwiftPM embedded.
  init(_ number: Int, _ name: String, _ sql: [UInt8], checksum: String) {
    self.number = number
    self.name = name
    self.sql = String(decoding: sql, as: UTF8.self)
    self.checksum = checksum
  }
}

/// The schemas, each the ordered list of its steps.
public enum Migrations {
  /// `vaultd` on SQLite.
  public static let serverSQLite = [
    Migration(
      1, "v0001_vault", PackageResources.v0001_vault_sqlite_sql,
      checksum: "7888e7a61369a0075db812a17223e254da06a4ab410a673d286c8e1ce1f73565")
  ]

  /// `vaultd` on PostgreSQL.
  public static let serverPostgreSQL = [
    Migration(
      1, "v0001_vault", PackageResources.v0001_vault_postgres_sql,
      checksum: "2c2e13c5cdc631ea59fc846266b7bd41f2239c0b75bec093e3ac7f883aa4064a")
  ]

  /// A device's journal.
  public static let localSQLite = [
    Migration(
      1, "v0001_records", PackageResources.v0001_records_sqlite_sql,
      checksum: "49f302eacd114c11359a042eae478252d6593ff1b93e8511efd2d904e0cc00e9")
  ]
}
