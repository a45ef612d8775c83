// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Testing

@Suite struct PoolTests {
  private let pid = Statement("SELECT pg_backend_pid()::bigint")

  private func backend(_ pool: Pool) async throws -> Int64 {
    try #require(await pool.run(pid).first).number
  }

  @Test func `32 users share 8 connections`() async throws {
    try await TestDatabase.withSchema(connections: 8) { configuration in
      let pool = Pool(configuration)
      let backends = try await withThrowingTaskGroup(of: Int64.self) { group in
        for _ in 0..<32 {
          group.addTask {
            var last: Int64 = 0
            for _ in 0..<10 { last = try await backend(pool) }
            return last
          }
        }
        return try await group.reduce(into: Set<Int64>()) { $0.insert($1) }
      }
      #expect(backends.count <= 8)
      #expect(pool.idleCount <= 8)
    }
  }

  @Test func `those who wait are served in order`() async throws {
    try await TestDatabase.withSchema(connections: 1) { configuration in
      let pool = Pool(configuration)
      let (served, order) = AsyncStream.makeStream(of: Int.self)
      try await withThrowingTaskGroup(of: Void.self) { group in
        try await pool.withConnection { (_) async throws(PostgresError) in
          for number in 0..<5 {
            group.addTask {
              try await pool.withConnection { (_) async throws(PostgresError) in
                _ = order.yield(number)
              }
            }
            while pool.waitingCount <= number { await Task.yield() }
          }
        }
        try await group.waitForAll()
      }
      order.finish()
      let numbers = await served.reduce(into: []) { $0.append($1) }
      #expect(numbers == [0, 1, 2, 3, 4])
    }
  }

  @Test func `a backend killed while idle is replaced unnoticed`() async throws {
    let configuration = try Configuration(url: TestDatabase.url(), connections: 1)
    let pool = Pool(configuration)
    let killed = try await backend(pool)
    try await kill(killed)
    #expect(try await backend(pool) != killed)
  }

  @Test func `a backend killed at work is reported and replaced`() async throws {
    let configuration = try Configuration(url: TestDatabase.url(), connections: 1)
    let pool = Pool(configuration)
    await #expect(throws: PostgresError.connectionLost) {
      try await pool.run(Statement("SELECT pg_terminate_backend(pg_backend_pid())"))
    }
    #expect(try await backend(pool) > 0)
  }

  @Test func `cancellation stops the statement and keeps the connection`() async throws {
    let configuration = try Configuration(url: TestDatabase.url(), connections: 1)
    let pool = Pool(configuration)
    let before = try await backend(pool)
    let task = Task { try await pool.run(Statement("SELECT pg_sleep(600)")) }
    try await untilAsleep(before)
    task.cancel()
    await #expect(throws: PostgresError.cancelled) { try await task.value }
    #expect(try await backend(pool) == before)
  }

  @Test func `an order to cancel that does not get through is not waited for`() async throws {
    // The relay takes one connection; the second, over which the order goes, is never answered.
    let relay = try Relay(to: TestDatabase.url())
    var configuration = Configuration(url: relay.url, connections: 1)
    configuration.cancelTimeout = .milliseconds(100)
    let connection = try await Connection(configuration)
    await #expect(throws: PostgresError.timedOut) {
      try await connection.run(Statement("SELECT pg_sleep(600)"), within: .milliseconds(50))
    }
    await #expect(throws: PostgresError.connectionLost) {
      try await connection.run(Statement("SELECT 1"))
    }
    withExtendedLifetime(relay) {}
  }

  @Test func `cancellation while waiting for a turn keeps the turn for others`() async throws {
    let configuration = try Configuration(url: TestDatabase.url(), connections: 1)
    let pool = Pool(configuration)
    let task = try await pool.withConnection { (_) async throws(PostgresError) in
      let task = Task { try await pool.run(Statement("SELECT 1")) }
      while pool.waitingCount == 0 { await Task.yield() }
      task.cancel()
      return task
    }
    await #expect(throws: PostgresError.cancelled) { try await task.value }
    #expect(try await backend(pool) > 0)
  }

  @Test func `a turn that does not come in time is refused`() async throws {
    let configuration = try Configuration(
      url: TestDatabase.url(), connections: 1, acquireTimeout: .milliseconds(50))
    let pool = Pool(configuration)
    try await pool.withConnection { (_) async throws(PostgresError) in
      await #expect(throws: PostgresError.timedOut) { try await pool.run(Statement("SELECT 1")) }
    }
  }

  @Test func `a statement that takes too long is cancelled at the server`() async throws {
    let configuration = try Configuration(url: TestDatabase.url(), connections: 1)
    let pool = Pool(configuration)
    let before = try await backend(pool)
    await #expect(throws: PostgresError.timedOut) {
      try await pool.run(Statement("SELECT pg_sleep(600)"), within: .milliseconds(50))
    }
    #expect(try await backend(pool) == before)
  }

  @Test func `a transaction left open is rolled back`() async throws {
    try await TestDatabase.withSchema(connections: 1) { configuration in
      let pool = Pool(configuration)
      try await pool.run(Statement("CREATE TABLE numbers (n bigint)"))
      try await pool.withConnection { (connection) async throws(PostgresError) in
        try await connection.run(Statement("BEGIN"))
        try await connection.run(Statement("INSERT INTO numbers VALUES (1)"))
      }
      let rows = try await pool.run(Statement("SELECT count(*) FROM numbers"))
      #expect(try rows[0].number == 0)
    }
  }

  @Test func `a server that is not there is reported in time`() async throws {
    let pool = Pool(
      Configuration(url: "postgres:///vault?host=/nowhere", acquireTimeout: .milliseconds(100)))
    let error = await #expect(throws: PostgresError.self) {
      try await pool.run(Statement("SELECT 1"))
    }
    guard case .unavailable = error else {
      Issue.record("\(String(describing: error)) is not unavailable")
      return
    }
  }

  @Test func `an unreadable URL is refused without quoting it`() async throws {
    let url = "postgres://vault:hunter2@[::1/vault"
    let error = await #expect(throws: PostgresError.self) {
      _ = try await Connection(Configuration(url: url))
    }
    #expect(error == .unavailable(reason: "the database URL cannot be read"))
  }

  @Test func `a closed pool refuses`() async throws {
    let pool = try Pool(Configuration(url: TestDatabase.url()))
    try await pool.run(Statement("SELECT 1"))
    await pool.close()
    #expect(pool.idleCount == 0)
    await #expect(throws: PostgresError.closed) { try await pool.run(Statement("SELECT 1")) }
  }

  private func kill(_ backend: Int64) async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    try await connection.run(
      Statement("SELECT pg_terminate_backend($1::bigint::int, 10000)", [.int8(backend)]))
  }

  private func untilAsleep(_ backend: Int64) async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let asleep = Statement(
      "SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint::int AND wait_event = 'PgSleep'",
      [.int8(backend)])
    while try await connection.run(asleep).isEmpty { await Task.yield() }
  }
}
