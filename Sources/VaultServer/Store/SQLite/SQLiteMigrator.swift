// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Migrations
import Sodium
import VaultProtocol

/// Brings a database file to the newest schema, or refuses one that is not ours.
enum SQLiteMigrator {
  /// Runs what is missing, each step in a transaction.
  ///
  /// - Throws: ``StoreError/damaged(_:)`` for a database made by a newer program or another text.
  static func migrate(_ db: Database, to steps: [Migration]) throws {
    try db.execute(
      sql: """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          number INTEGER PRIMARY KEY, checksum TEXT NOT NULL
        ) STRICT
        """)
    let rows = try Row.fetchAll(db, sql: "SELECT number, checksum FROM schema_migrations")
    let done = try Dictionary(
      rows.map { (try $0.value(0, as: Int.self), try $0.value(1, as: String.self)) },
      uniquingKeysWith: { first, _ in first })
    guard done.keys.allSatisfy({ number in steps.contains { $0.number == number } }) else {
      throw StoreError.damaged("the database was made by a newer vaultd: use that one")
    }
    for step in steps {
      if let checksum = done[step.number] {
        guard checksum == step.checksum else {
          throw StoreError.damaged("the schema's step \(step.number) is not the one that shipped")
        }
      } else {
        try run(step, in: db)
      }
    }
  }

  private static func run(_ step: Migration, in db: Database) throws {
    try db.inTransaction(.immediate) {
      try db.execute(sql: step.sql)
      try db.execute(
        sql: "INSERT INTO schema_migrations VALUES (?, ?)",
        arguments: [step.number, step.checksum])
      return .commit
    }
  }
}
