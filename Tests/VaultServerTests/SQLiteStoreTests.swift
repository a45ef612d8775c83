// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import TestSupport
import Testing
import VaultProtocol

@testable import StoreConformance
@testable import VaultServer

@Suite struct SQLiteStoreTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("vault.sqlite")
  }

  @Test(arguments: Fact.all)
  func `the SQLite store keeps the contract`(fact: Fact) async throws {
    try await fact.hold { policy in try SQLiteStore(path: path, policy: policy) }
  }

  @Test func `an acknowledged commit is on the disk, and what is deleted is overwritten`()
    async throws
  {
    let store = try SQLiteStore(path: path)
    let settings = try await store.pool.write { db in
      try ["journal_mode", "synchronous", "secure_delete", "foreign_keys", "page_size"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)")
      }
    }
    #expect(settings == ["wal", "2", "1", "1", "8192"])
  }

  @Test func `only the owner may read the files`() async throws {
    let store = try SQLiteStore(path: path)
    _ = try await Person(store)
    for name in ["vault.sqlite", "vault.sqlite-wal", "vault.sqlite-shm"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(name))
      let mode = attributes[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(name)")
    }
  }

  @Test func `everything is there after the file was closed and opened again`() async throws {
    let first = try SQLiteStore(path: path)
    let person = try await Person(first)
    try await person.write(.random(), .random())
    let before = try await (person.vault(), person.keyring(), person.everything())
    await first.close()
    let again = try SQLiteStore(path: path)
    let vault = try await again.vault(caller: person.caller, now: start)
    #expect(vault == before.0)
    #expect(try await again.keyring(caller: person.caller, now: start).0 == before.1)
    #expect(try await again.check().faults == [])
  }

  @Test func `a full disk refuses the commit whole, and later ones go on`() async throws {
    let store = try SQLiteStore(path: path)
    let person = try await Person(store)
    let neighbour = try await Person(store)
    try await person.write(.random())
    let before = try await person.vault()
    let pages = try await store.pool.write { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
      return pages
    }
    let large = try await person.commit((0..<100).map { _ in .random(bytes: 3_000) })
    let small = try await neighbour.commit()
    async let one = Result { () async throws in try await person.apply(large) }
    async let two = Result { () async throws in try await neighbour.apply(small) }
    let (refused, beside) = await (one, two)
    #expect(throws: StoreError.unavailable(.full)) { try refused.get() }
    #expect(throws: Never.self) { try beside.get() }
    #expect(try await person.vault() == before)
    #expect(try await store.check().faults == [])
    try await store.pool.write { db in
      try db.execute(sql: "PRAGMA max_page_count = \(pages + 100_000)")
    }
    #expect(try await person.apply(large) == .accepted(seq: before.head.seq + 1))
    #expect(try await store.check().faults == [])
  }

  @Test func `a queue that is full says so, and goes on`() async throws {
    let store = try SQLiteStore(path: path)
    let queue = WriteQueue(store.pool, most: 2)
    let door = DispatchSemaphore(value: 0)
    store.pool.asyncWriteWithoutTransaction { _ in door.wait() }
    async let one = Result { () async throws in try await queue.run { _ in 1 } }
    async let two = Result { () async throws in try await queue.run { _ in 2 } }
    while queue.count < 2 { await Task.yield() }
    await #expect(throws: StoreError.unavailable(.busy)) { try await queue.run { _ in 3 } }
    door.signal()
    #expect(try await one.get() + two.get() == 3)
    #expect(try await queue.run { _ in 4 } == 4)
  }

  @Test(arguments: [
    "UPDATE records SET blob = zeroblob(length(blob))",
    "UPDATE records SET blob_hash = zeroblob(32)",
    "UPDATE records SET seq = 99",
    "DELETE FROM records",
    "UPDATE revisions SET blob = zeroblob(length(blob))",
    "UPDATE revisions SET revision = 99",
    "DELETE FROM revisions",
    "UPDATE commits SET head = zeroblob(612)",
    "DELETE FROM commits WHERE seq = 2",
    "DELETE FROM commits WHERE seq = 3",
    "UPDATE vaults SET bytes = bytes + 1",
    "UPDATE vaults SET seq = 2",
    "UPDATE keyrings SET recovery_public_key = zeroblob(32)",
    "DELETE FROM vaults",
  ])
  func `the check names what somebody changed behind its back`(sql: String) async throws {
    let store = try SQLiteStore(path: path)
    let person = try await Person(store)
    let record = RecordID.random()
    try await person.write(.random(record))
    try await person.write(.random(record, 2))
    #expect(try await store.check().faults == [])
    try await store.pool.write { db in try db.execute(sql: sql) }
    let faults = try await store.check().faults
    #expect(faults.contains { $0.user == person.user })
  }

  @Test func `the check names what is left of nobody`() async throws {
    let store = try SQLiteStore(path: path)
    _ = try await Person(store)
    try await store.pool.write { db in
      try db.execute(sql: "UPDATE sessions SET user_id = zeroblob(16)")
    }
    #expect(
      try await store.check().faults == [
        StoreFault(user: UserID(number: 0), finding: "1 rows of sessions without accounts")
      ])
  }

  @Test func `the check counts what it looked at`() async throws {
    let store = try SQLiteStore(path: path)
    let person = try await Person(store)
    let record = RecordID.random()
    try await person.write(.random(record), .random())
    try await person.write(.random(record, 2))
    let report = try await store.check()
    #expect(report.vaults == 1)
    #expect(report.records == 2)
    #expect(report.revisions == 1)
    #expect(report.heads == 3)
  }

  @Test func `C8: after a deletion no byte of a blob is left in the files`() async throws {
    let store = try SQLiteStore(path: path)
    let person = try await Person(store)
    let revision = Revision.random(bytes: 20_000)
    try await person.write(revision)
    try await person.write(.random(revision.record, 2))
    let needles = [
      revision.blob[5_000..<5_032], revision.blob[0..<32], person.account.head[9..<41],
    ]
    #expect(try found(needles) == [true, true, true])
    _ = try await person.deleteVault(.random(person.vault()))
    #expect(try found(needles) == [false, false, false])
  }

  /// Which of `needles` stand anywhere in the folder's files.
  private func found(_ needles: [Data]) throws -> [Bool] {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    let contents = try files.map { try Data(contentsOf: folder.url.appending(path: $0)) }
    return needles.map { needle in contents.contains { $0.range(of: needle) != nil } }
  }

  @Test func `a file that is no database, or another schema's, is refused`() async throws {
    try Data(repeating: 7, count: 10_000).write(to: URL(filePath: path))
    #expect(throws: StoreError.damaged("the database file is damaged")) {
      try SQLiteStore(path: path)
    }
    for sql in [
      "UPDATE schema_migrations SET checksum = ''", "INSERT INTO schema_migrations VALUES (99, '')",
    ] {
      let other = folder.path("\(UUID()).sqlite")
      let store = try SQLiteStore(path: other)
      try await store.pool.write { db in try db.execute(sql: sql) }
      await store.close()
      let error = #expect(throws: StoreError.self) { try SQLiteStore(path: other) }
      guard case .damaged = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(throws: StoreError.unavailable(.inputOutput)) {
      try SQLiteStore(path: folder.path("no/such/folder/vault.sqlite"))
    }
  }

  @Test(arguments: [
    "SELECT seq, record_id, revision, blob_hash FROM records WHERE user_id = x'' AND (seq, record_id) > (1, x'') ORDER BY seq, record_id",
    "SELECT seq, record_id, revision, blob_hash, blob FROM records WHERE user_id = x'' AND (seq, record_id) > (1, x'') ORDER BY seq, record_id",
    "SELECT rowid, length(blob) FROM records WHERE user_id = x'' AND record_id = x''",
    "SELECT seq FROM commits WHERE user_id = x'' AND commit_id = x''",
    "SELECT rowid FROM revisions WHERE user_id = x'' AND record_id = x'' AND revision < 9 ORDER BY revision LIMIT 2",
    "SELECT rowid, length(blob) FROM revisions WHERE user_id = x'' ORDER BY replaced_at, rowid",
    "DELETE FROM vaults WHERE user_id = x''",
  ])
  func `no request reads a table from end to end or sorts`(sql: String) async throws {
    let store = try SQLiteStore(path: path)
    let plan = try await store.pool.read { db in
      try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
    }
    #expect(plan.allSatisfy { $0.hasPrefix("SEARCH") }, "\(plan)")
    if !sql.contains("blob FROM"), sql.contains("blob_hash") {
      #expect(plan.allSatisfy { $0.contains("COVERING") }, "\(plan)")
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

/// A folder that goes when this does.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = try TestFolder.make("store")
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }
}
