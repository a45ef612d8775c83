// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import LibPQ
import Synchronization
import TestSupport
import Testing
import VaultProtocol

@testable import StoreConformance
@testable import VaultServer

/// Whatever statement a crash comes at, an account opens afterwards with exactly one of old or new, and
/// the same request again makes it the new one.
@Suite(.serialized) struct KeysCrashTests {
  /// What kill -9 leaves is what the system has of the files at that moment: they are copied before
  /// each statement of the change.
  @Test(arguments: KeysOperation.all)
  func `SQLite's file holds the old or the new at every statement`(operation: KeysOperation)
    async throws
  {
    let folder = try TemporaryFolder()
    let path = folder.path("vault.sqlite")
    let store = try SQLiteStore(path: path)
    let person = try await Person(store)
    try await person.write(.random(), .random())
    let request = try await operation.prepare(person)
    let before = try await KeysState(of: person.account, in: store)
    let copies = Mutex(0)
    try await store.pool.writeWithoutTransaction { db in
      db.trace(options: .statement) { _ in
        let number = copies.withLock { copies in
          copies += 1
          return copies
        }
        for suffix in ["", "-wal"] {
          try? FileManager.default.copyItem(
            atPath: path + suffix, toPath: folder.path("copy-\(number).sqlite") + suffix)
        }
      }
    }
    let answer = try await request(store)
    try await store.pool.writeWithoutTransaction { $0.trace(options: .statement, nil) }
    let after = try await KeysState(of: person.account, in: store)
    await store.close()
    let count = copies.withLock { $0 }
    try #require(count >= 6)
    for number in 1...count {
      let copy = try SQLiteStore(path: folder.path("copy-\(number).sqlite"))
      let state = try await KeysState(of: person.account, in: copy)
      #expect(state == before || state == after, "statement \(number)")
      #expect(try await copy.check().faults == [], "statement \(number)")
      #expect(try await request(copy) == answer, "statement \(number)")
      #expect(try await KeysState(of: person.account, in: copy) == after, "statement \(number)")
      #expect(try await copy.check().faults == [], "statement \(number)")
      await copy.close()
    }
  }

  private static let tables = [
    "names", "accounts", "sessions", "vaults", "keyrings", "commits", "records", "revisions",
    "deletions", "certificates", "nonces",
  ]

  /// A trigger ends the connection after each statement that writes to a table, one table at a time.
  @Test(arguments: KeysOperation.all)
  func `PostgreSQL holds the old or the new wherever the connection is cut`(
    operation: KeysOperation
  ) async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store()
      let killer = try await schema.connect()
      try await killer.script(
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_terminate_backend(pg_backend_pid());
          RETURN NULL;
        END
        $$
        """)
      var cuts = 0
      for table in Self.tables {
        let person = try await Person(store)
        try await person.write(.random(), .random())
        let request = try await operation.prepare(person)
        let before = try await KeysState(of: person.account, in: store)
        try await killer.script(
          """
          CREATE TRIGGER die AFTER INSERT OR UPDATE OR DELETE ON \(table)
          FOR EACH STATEMENT EXECUTE FUNCTION die()
          """)
        do {
          _ = try await request(store)
        } catch StoreError.unavailable {
          cuts += 1
          #expect(try await KeysState(of: person.account, in: store) == before, "\(table)")
        }
        try await killer.script("DROP TRIGGER die ON \(table)")
        let answer = try await request(store)
        let after = try await KeysState(of: person.account, in: store)
        #expect(after != before, "\(table)")
        #expect(try await request(store) == answer, "\(table)")
        #expect(try await KeysState(of: person.account, in: store) == after, "\(table)")
      }
      #expect(cuts >= 3)
      #expect(try await store.check().faults == [])
      await store.close()
    }
  }
}
