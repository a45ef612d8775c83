// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Testing
import TestSupport
import VaultProtocol

@testable import StoreConformance
@testable import VaultServer

@Suite struct PostgresStoreTests {
  @Test(arguments: Fact.all)
  func `the PostgreSQL store keeps the contract`(fact: Fact) async throws {
    let schema = try await PostgresSchema.shared.value
    try await fact.hold { policy in
      try await PostgresStore(url: schema.url, connections: 4, policy: policy, now: start)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a change made by one process wakes who waits at another`() async throws {
    try await PostgresSchema.with { schema in
      let (here, there) = try await (schema.store(), schema.store())
      let person = try await Person(here)
      let neighbour = try await Person(here)
      var moves = there.signals.moves(of: person.user).makeAsyncIterator()
      try await neighbour.write(.random())
      try await person.write(.random())
      #expect(await moves.next() != nil)
      #expect(try await there.vault(caller: person.caller, now: start).head.seq == 2)
      await here.close()
      await there.close()
    }
  }

  @Test func `processes that start at once make the schema once`() async throws {
    try await PostgresSchema.with { schema in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 { group.addTask { await (try await schema.store()).close() } }
        try await group.waitForAll()
      }
      let rows = try await schema.connect().run(
        Statement("SELECT count(*) FROM schema_migrations WHERE number = 1"))
      #expect(try rows[0].int8(0) == 1)
    }
  }

  @Test(arguments: [
    "INSERT INTO schema_migrations VALUES (99, '', 0)",
    "UPDATE schema_migrations SET checksum = 'other'",
  ])
  func `a schema that is not this program's is refused`(sql: String) async throws {
    try await PostgresSchema.with { schema in
      await (try await schema.store()).close()
      try await schema.tamper(sql)
      let error = await #expect(throws: StoreError.self) { _ = try await schema.store() }
      guard case .damaged = error else {
        Issue.record("\(String(describing: error)) is not damaged")
        return
      }
    }
  }

  @Test(arguments: [
    "accounts", "sessions", "vaults", "keyrings", "commits", "records", "revisions", "deletions",
    "certificates", "nonces",
  ])
  func `C5: a statement that forgets the user sees one user's rows, or none`(
    table: String
  ) async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store()
      let (one, other) = try await (Person(store), Person(store))
      for person in [one, other] { try await live(store, person) }
      let users = Statement("SELECT DISTINCT user_id FROM \(table)")
      let connection = try await schema.connect()
      #expect(try await connection.run(users).isEmpty)
      let seen = try await connection.pipeline([.enter(one.user), users])[1]
      #expect(try seen.map { try $0.uuid(0) } == [one.user.number])
      await store.close()
    }
  }

  /// Leaves a row of the person in every table.
  private func live(_ store: PostgresStore, _ person: Person) async throws {
    let hash = try await person.vault().head.hash
    let request = DeletionRequest(
      generation: 1, head: hash, certificates: [Certificate(epoch: 1, blob: .blob())],
      certificateHash: .random(), withAccount: false)
    _ = try await store.deleteVault(
      request, caller: person.caller, freshAfter: start, now: start, receipt: { _ in Data([1]) })
    let first = Commit(
      id: .random(), baseSeq: 0, generation: 2, epoch: 2, revisions: [], head: .blob())
    let change = KeyringChange(
      condition: .afterDeletion(request.certificateHash), passwordSlot: .blob(),
      recovery: .random(), keyring: .blob(), commit: first)
    _ = try await store.putKeyring(change, caller: person.caller, freshAfter: start, now: start)
    let record = RecordID.random()
    try await person.write(.random(record))
    try await person.write(.random(record, 2))
    _ = try await store.useOnce(.random(of: person.user), answer: Data([1]), now: start)
  }

  @Test func `a commit whose connection is killed is done whole or not, and repeats`() async throws
  {
    try await PostgresSchema.with { schema in
      var random = SeededGenerator(for: "a commit whose connection is killed")
      let name = "killed-\(UInt64.random(in: 0 ... .max))"
      let store = try await PostgresStore(
        url: schema.url + "&application_name=\(name)", connections: 1, now: start)
      let person = try await Person(store)
      let killer = try await schema.connect()
      let kill = Statement(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1::text "
          + "AND query LIKE '%vault_commit%'", [.text(name)])
      for seq: UInt64 in 1...20 {
        let commit = Commit(
          id: .random(), baseSeq: seq, generation: 1, epoch: 1,
          revisions: (0..<Int.random(in: 1...200, using: &random)).map { _ in
            .random(bytes: 2_000)
          }, head: .blob())
        async let killed = killer.run(kill)
        #expect(
          try await untilAnswered { try await person.apply(commit) } == .accepted(seq: seq + 1))
        _ = try await killed
      }
      #expect(try await untilAnswered { try await person.vault() }.head.seq == 21)
      try await person.expectClean()
      await store.close()
    }
  }

  /// Repeats a request for as long as its connection is lost.
  private func untilAnswered<R>(_ request: () async throws -> R) async throws -> R {
    while true {
      do { return try await request() } catch StoreError.unavailable(.connection) {}
    }
  }

  @Test(arguments: [
    "UPDATE records SET blob = decode(repeat('00', 612), 'hex')",
    "UPDATE records SET blob_hash = decode(repeat('00', 32), 'hex')",
    "UPDATE records SET seq = 99",
    "DELETE FROM records",
    "UPDATE revisions SET blob = decode(repeat('00', 612), 'hex')",
    "UPDATE revisions SET revision = 99",
    "DELETE FROM revisions",
    "UPDATE commits SET head = decode(repeat('00', 612), 'hex')",
    "DELETE FROM commits WHERE seq = 2",
    "DELETE FROM commits WHERE seq = 3",
    "UPDATE vaults SET bytes = bytes + 1",
    "UPDATE vaults SET seq = 2",
    "UPDATE keyrings SET recovery_public_key = decode(repeat('00', 32), 'hex')",
    "DELETE FROM vaults",
    "DELETE FROM names",
    "UPDATE names SET user_id = gen_random_uuid()",
    "WITH v AS (DELETE FROM vaults) DELETE FROM accounts",
  ])
  func `the check names what somebody changed behind its back`(sql: String) async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store()
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record))
      try await person.write(.random(record, 2))
      #expect(try await store.check().faults == [])
      try await schema.tamper(sql)
      #expect(try await store.check().faults.contains { $0.user == person.user })
      await store.close()
    }
  }

  @Test func `the database finds the way along the heads that the vectors give`() async throws {
    try await PostgresSchema.with { schema in
      await (try await schema.store()).close()
      let connection = try await schema.connect()
      for way in try HeadWay.all() {
        let rows = try await connection.run(
          Statement(
            "SELECT s FROM vault_head_path($1::bigint, $2::bigint) AS p (s) ORDER BY s",
            [.number(way.first), .number(way.last)]))
        #expect(try rows.map { UInt64(try $0.int8(0)) } == way.path, "\(way.name)")
      }
    }
  }

  @Test func `each blob asked for is found by its key, with no statistics of the table`()
    async throws
  {
    try await PostgresSchema.with { schema in
      let store = try await schema.store()
      let key = RowKey(record: .random(), hash: .random())
      let fetch = PostgresStore.fetching([key], limit: 1, of: .random())
      let plan = try await store.exchange([
        Statement("EXPLAIN (COSTS OFF) " + fetch.text, fetch.values)
      ])
      let lines = try plan[0].map { try $0.text(0) }
      let conditions = lines.filter { $0.contains("Index Cond:") }
      #expect(conditions.count == 2, "\(lines)")
      #expect(conditions.allSatisfy { $0.contains("record_id = n") }, "\(lines)")
      #expect(!lines.contains { $0.contains("Join Filter") }, "\(lines)")
      await store.close()
    }
  }

  @Test func `an empty database is not filled where one must be there`() async throws {
    try await PostgresSchema.with { schema in
      await #expect(throws: StoreError.self) {
        _ = try await PostgresStore(url: schema.url, mustExist: true, now: start)
      }
      let tables = try await schema.connect().run(
        Statement("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
      #expect(try tables[0].int8(0) == 0)
      await (try await schema.store()).close()
      await (try await PostgresStore(url: schema.url, mustExist: true, now: start)).close()
    }
  }

  @Test(arguments: Fact.all.filter { $0.testDescription.hasPrefix("an a") })
  func `behind a PgBouncer nothing is prepared, and notices go past it`(fact: Fact) async throws {
    let schema = try await PostgresSchema.shared.value
    let name = "notices-\(UInt64.random(in: 0 ... .max))"
    try await fact.hold { policy in
      let store = try await PostgresStore(
        url: schema.url, listenURL: schema.url + "&application_name=\(name)", connections: 2,
        isBehindBouncer: true, policy: policy, now: start)
      let listeners = try await schema.connect().run(
        Statement(
          "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1::text",
          [.text(name)]))
      #expect(try listeners[0].int8(0) == 1)
      return store
    }
  }

  @Test func `a server that is not there is unavailable`() async throws {
    await #expect(throws: StoreError.unavailable(.connection)) {
      _ = try await PostgresStore(url: "postgres:///vault?host=/nowhere", now: start)
    }
  }
}
