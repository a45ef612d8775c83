// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import TestSupport
import Testing

@testable import JournalClient

/// A damaged file or blob: told, kept, and in nothing's way.
@Suite struct DamageTests {
  let test = TestJournal()

  /// Runs SQL on the file behind the journal's back.
  private func tamper(_ sql: String, _ arguments: StatementArguments = []) throws {
    let queue = try DatabaseQueue(path: test.home.database.path)
    try queue.write { try $0.execute(sql: sql, arguments: arguments) }
    try queue.close()
  }

  private func spoil(_ id: ObjectID, revision: Int) throws {
    // One bit of the ciphertext: 200 bytes in.
    try tamper(
      """
      UPDATE revisions SET blob = CAST(substr(blob, 1, 200) || x'00' || substr(blob, 202) AS BLOB)
      WHERE record_id = ? AND revision = ?
      """, [id.data, revision])
  }

  @Test func `a damaged entry is quarantined and the others are listed`() throws {
    let journal = try test.create()
    let bad = try journal.write(content: "bad")
    let good = try journal.write(content: "good")
    try spoil(bad.id, revision: 1)
    #expect(try journal.list().map(\.id) == [good.id])
    let list = try journal.quarantined()
    #expect(list.map(\.id) == [bad.id])
    #expect(list.map(\.isReplaced) == [false])
    #expect(throws: JournalError.damaged(ids: [bad.id])) { try journal.entry(bad.id) }
    #expect(try journal.rawBlob(bad.id, revision: 1).count == list.first?.size)
    #expect(try test.open().search("good").total == 1)
  }

  @Test func `a damaged newest revision gives way to the one before`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    try journal.edit(entry.id) { $0.content = "two" }
    try spoil(entry.id, revision: 2)
    #expect(try journal.check().quarantined == 1)
    #expect(try journal.entry(entry.id).content == "one")
    #expect(try journal.list().map(\.line) == ["one"])
    #expect(try journal.quarantined().map(\.isReplaced) == [true])
    // The next state stands above the damaged one.
    try journal.edit(entry.id) { $0.content = "three" }
    #expect(try journal.history(entry.id).map(\.revision) == [3, 2, 1])
  }

  @Test func `a quarantined revision can be discarded`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    try spoil(entry.id, revision: 1)
    _ = try journal.check()
    #expect(throws: JournalError.noRevision) {
      try journal.discardQuarantined(entry.id, revision: 2)
    }
    try journal.discardQuarantined(entry.id, revision: 1)
    #expect(try journal.quarantined().isEmpty)
  }

  @Test func `two blobs exchanged behind our back are both refused`() throws {
    let journal = try test.create()
    let a = try journal.write(content: "a")
    let b = try journal.write(content: "b")
    let blobA = try journal.rawBlob(a.id, revision: 1)
    let blobB = try journal.rawBlob(b.id, revision: 1)
    try tamper("UPDATE revisions SET blob = ? WHERE record_id = ?", [Data(blobB), a.id.data])
    try tamper("UPDATE revisions SET blob = ? WHERE record_id = ?", [Data(blobA), b.id.data])
    #expect(try journal.check().quarantined == 2)
  }

  @Test func `without its index the journal lists and searches as before`() throws {
    let journal = try test.create()
    for number in 0..<200 { try journal.write(content: "entry \(number)") }
    let before = try journal.list()
    #expect(try journal.search("\"entry 77\"").total == 1)
    for sql in [
      "DELETE FROM items", "DELETE FROM items WHERE name LIKE 'catalog/text/%'",
      "DELETE FROM items WHERE name LIKE 'catalog/list/%'",
      "DELETE FROM items WHERE name = 'catalog'",
      "UPDATE items SET blob = zeroblob(700)", "UPDATE items SET oid = zeroblob(16)",
    ] {
      try tamper(sql)
      let opened = try test.open()
      #expect(try opened.list() == before, "\(sql)")
      #expect(try opened.search("\"entry 77\"").total == 1, "\(sql)")
    }
  }

  @Test func `an index put back from an older state is not believed`() throws {
    let journal = try test.create()
    for number in 0..<100 { try journal.write(content: "entry \(number)") }
    _ = try journal.list()
    let queue = try DatabaseQueue(path: test.home.database.path)
    let old = try queue.read { try Row.fetchAll($0, sql: "SELECT * FROM items") }
    for number in 100..<300 { try journal.write(content: "entry \(number)") }
    _ = try journal.list()
    try queue.write { db in
      for row in old {
        try db.execute(
          sql: "INSERT OR REPLACE INTO items (name, oid, epoch, blob) VALUES (?, ?, ?, ?)",
          arguments: StatementArguments(row.databaseValues))
      }
    }
    #expect(try test.open().list().count == 300)
    #expect(try test.open().search("entry").total == 300)
  }

  @Test(arguments: [0, 100, 4096, 20_000, 60_000])
  func `a truncated file is told as damage, and never traps`(length: Int) throws {
    do {
      let journal = try test.create()
      for number in 0..<100 { try journal.write(content: "entry \(number)") }
      _ = try journal.list()
    }
    let queue = try DatabaseQueue(path: test.home.database.path)
    try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    try queue.close()
    let bytes = try Data(contentsOf: test.home.database)
    try bytes.prefix(length).write(to: test.home.database)
    do {
      let journal = try test.open()
      _ = try? journal.check()
      _ = try journal.list()
      Issue.record("a file cut at \(length) of \(bytes.count) bytes went unnoticed")
    } catch {
      #expect(error is JournalError)
    }
  }

  @Test func `random bytes anywhere in the file never trap`() throws {
    var random = SeededGenerator(for: #function)
    do {
      let journal = try test.create()
      for number in 0..<60 { try journal.write(content: "entry \(number)") }
      _ = try journal.list()
    }
    let queue = try DatabaseQueue(path: test.home.database.path)
    try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
    try queue.close()
    let whole = try Data(contentsOf: test.home.database)
    for _ in 0..<30 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      try bytes.write(to: test.home.database)
      for suffix in ["-wal", "-shm"] {
        try? FileManager.default.removeItem(atPath: test.home.database.path + suffix)
      }
      do {
        let journal = try test.open()
        _ = try journal.list()
        _ = try journal.search("entry")
        _ = try journal.check()
      } catch {
        #expect(error is JournalError)
      }
    }
  }

  @Test func `a damaged key file is told, and nothing is made anew over it`() throws {
    let entry = try test.create().write(content: "one")
    let key = try Data(contentsOf: test.home.keyFile)
    try key.prefix(20).write(to: test.home.keyFile)
    #expect(throws: JournalError.damagedStore) { try test.open() }
    try key.write(to: test.home.keyFile)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: test.home.keyFile.path)
    #expect(try test.open().entry(entry.id).content == "one")
  }

  @Test func `a file of a newer version is left alone`() throws {
    _ = try test.create()
    try tamper("PRAGMA user_version = 99")
    #expect(throws: JournalError.tooNew) { try test.open() }
  }
}
