// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Testing

@Suite struct PipelineTests {
  private let insert = "INSERT INTO numbers VALUES ($1::bigint)"

  private func withNumbers(
    prepares: Bool = true, _ body: (Connection) async throws -> Void
  ) async throws {
    try await TestDatabase.withSchema { configuration in
      var configuration = configuration
      configuration.prepares = prepares
      let connection = try await Connection(configuration)
      try await connection.script("CREATE TABLE numbers (n bigint CONSTRAINT numbers_once UNIQUE)")
      try await body(connection)
    }
  }

  private func count(_ connection: Connection) async throws -> Int64 {
    try #require(await connection.run(Statement("SELECT count(*) FROM numbers")).first).number
  }

  @Test(arguments: [true, false])
  func `a pipeline with its preparations takes one round trip`(_ prepares: Bool) async throws {
    let relay = try Relay(to: TestDatabase.url())
    let connection = try await Connection(Configuration(url: relay.url, prepares: prepares))
    let before = relay.roundTrips
    let results = try await connection.pipeline([
      Statement("SELECT $1::bigint", [.int8(1)], name: "one"),
      Statement("SELECT $1::bigint", [.int8(2)], name: "one"),
      Statement("SELECT $1::bigint + 1", [.int8(2)], name: "two"),
      Statement("SELECT 4::bigint"),
    ])
    #expect(try results.map { try #require($0.first).number } == [1, 2, 3, 4])
    #expect(relay.roundTrips - before == 1)
  }

  @Test func `a statement prepared before is not parsed again`() async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    for _ in 0..<3 {
      try await connection.run(Statement("SELECT $1::bigint", [.int8(1)], name: "one"))
    }
    let rows = try await connection.run(
      Statement(
        "SELECT (generic_plans + custom_plans)::bigint FROM pg_prepared_statements "
          + "WHERE name = 'one'"))
    #expect(try #require(rows.first).number == 3)
  }

  @Test func `without preparing the server keeps no statement`() async throws {
    let connection = try await Connection(
      Configuration(url: TestDatabase.url(), prepares: false))
    try await connection.run(Statement("SELECT $1::bigint", [.int8(1)], name: "one"))
    let rows = try await connection.run(Statement("SELECT count(*) FROM pg_prepared_statements"))
    #expect(try #require(rows.first).number == 0)
  }

  @Test func `an error in the middle undoes the whole pipeline`() async throws {
    try await withNumbers { connection in
      await #expect(throws: PostgresError.self) {
        try await connection.pipeline([
          Statement(insert, [.int8(1)], name: "insert"),
          Statement("SELECT 1 / 0"),
          Statement(insert, [.int8(2)], name: "insert"),
        ])
      }
      let left = try await count(connection)
      #expect(left == 0)
    }
  }

  @Test func `an error names its SQLSTATE and statement`() async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let error = PostgresError.refused(sqlState: "22012", constraint: nil, statement: 1)
    await #expect(throws: error) {
      try await connection.pipeline([Statement("SELECT 1"), Statement("SELECT 1 / 0")])
    }
  }

  @Test func `a violated constraint is named and its values are not`() async throws {
    try await withNumbers { connection in
      let twice = Statement(insert, [.int8(4_711)])
      let error = await #expect(throws: PostgresError.self) {
        try await connection.pipeline([twice, twice])
      }
      #expect(
        error == .refused(sqlState: "23505", constraint: "numbers_once", statement: 1))
      #expect(!"\(String(describing: error))".contains("4711"))
    }
  }

  @Test func `a statement that cannot be prepared does not spoil the connection`() async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let error = PostgresError.refused(sqlState: "42601", constraint: nil, statement: 0)
    await #expect(throws: error) {
      try await connection.run(Statement("SELEKT 1", name: "wrong"))
    }
    #expect(try await connection.run(Statement("SELECT 1")).count == 1)
  }

  @Test func `what was prepared in a pipeline that failed is used or prepared anew`() async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let later = Statement("SELECT $1::bigint", [.int8(2)], name: "later")
    let earlier = Statement("SELECT $1::bigint", [.int8(1)], name: "earlier")
    _ = try? await connection.pipeline([earlier, Statement("SELECT 1 / 0"), later])
    let results = try await connection.pipeline([earlier, later])
    #expect(try results.map { try #require($0.first).number } == [1, 2])
  }

  @Test func `a script of several statements is undone as a whole`() async throws {
    try await withNumbers { connection in
      await #expect(throws: PostgresError.self) {
        try await connection.script("INSERT INTO numbers VALUES (1); SELECT 1 / 0")
      }
      let left = try await count(connection)
      #expect(left == 0)
    }
  }

  @Test func `the preamble holds on a new connection`() async throws {
    let connection = try await Connection(
      Configuration(url: TestDatabase.url(), preamble: [Statement("SET jit = off")]))
    let rows = try await connection.run(Statement("SELECT current_setting('jit')"))
    #expect(try #require(rows.first).text(0) == "off")
  }

  @Test func `a batch larger than all socket buffers passes both ways`() async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let blob = [UInt8](repeating: 7, count: 1 << 20)
    let statements = (0..<8).map { _ in Statement("SELECT $1::bytea", [.bytes(blob)]) }
    let results = try await connection.pipeline(statements)
    #expect(try results.allSatisfy { try $0.first?.bytes(0) == blob })
  }
}
