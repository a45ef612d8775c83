// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Testing

@Suite struct ValueTests {
  private func echo(_ expression: String, _ value: Value) async throws -> Row {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let rows = try await connection.run(Statement("SELECT \(expression)", [value]))
    return try #require(rows.first)
  }

  @Test(arguments: [0, 1, -1, Int64.max, Int64.min, 0x0102_0304_0506_0708])
  func `a bigint comes back as it went`(_ value: Int64) async throws {
    #expect(try await echo("$1::bigint", .int8(value)).int8(0) == value)
  }

  @Test(arguments: [0, 1, -1, Int32.max, Int32.min, 0x0102_0304])
  func `an integer comes back as it went`(_ value: Int32) async throws {
    #expect(try await echo("$1::integer", .int4(value)).int4(0) == value)
  }

  @Test(arguments: [true, false]) func `a boolean comes back as it went`(
    _ value: Bool
  ) async throws {
    #expect(try await echo("$1::boolean", .bool(value)).bool(0) == value)
  }

  @Test(arguments: [0, 1, UInt128.max, 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10])
  func `a uuid comes back as it went`(_ value: UInt128) async throws {
    #expect(try await echo("$1::uuid", .uuid(value)).uuid(0) == value)
  }

  @Test(arguments: ["", "journal", "Tagebuch · 日記 · 📓"])
  func `a text comes back as it went`(_ value: String) async throws {
    #expect(try await echo("$1::text", .text(value)).text(0) == value)
  }

  @Test(arguments: [[], [0], Array(0...255)])
  func `a bytea comes back as it went`(_ value: [UInt8]) async throws {
    #expect(try await echo("$1::bytea", .bytes(value)).bytes(0) == value)
  }

  @Test func `a bytea of 4 MiB comes back as it went`() async throws {
    let value = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    #expect(try await echo("$1::bytea", .bytes(value)).bytes(0) == value)
  }

  @Test func `a null is null`() async throws {
    #expect(try await echo("$1::bytea", .null).isNull(0))
  }

  @Test func `an empty bytea is not null`() async throws {
    #expect(try await !echo("$1::bytea", .bytes([])).isNull(0))
  }

  @Test(arguments: [[], [[]], [[1], [], [2, 3]], [Array(0...255), Array(0...255)]])
  func `an array of bytea is unnested in order`(_ values: [[UInt8]]) async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let rows = try await connection.run(
      Statement("SELECT * FROM unnest($1::bytea[])", [.bytesArray(values)]))
    #expect(try rows.map { try $0.bytes(0) } == values)
  }

  @Test(arguments: [[], [Int64.min, -1, 0, 1, Int64.max]])
  func `an array of bigint is unnested in order`(_ values: [Int64]) async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let rows = try await connection.run(
      Statement("SELECT * FROM unnest($1::bigint[])", [.int8Array(values)]))
    #expect(try rows.map { try $0.int8(0) } == values)
  }

  @Test(arguments: [[], [0, 1, UInt128.max]])
  func `an array of uuid is unnested in order`(_ values: [UInt128]) async throws {
    let connection = try await Connection(Configuration(url: TestDatabase.url()))
    let rows = try await connection.run(
      Statement("SELECT * FROM unnest($1::uuid[])", [.uuidArray(values)]))
    #expect(try rows.map { try $0.uuid(0) } == values)
  }

  @Test func `a column read as another type is refused`() async throws {
    let row = try await echo("$1::bigint", .int8(1))
    #expect(throws: PostgresError.mistyped(column: 0)) { try row.int4(0) }
  }

  @Test func `a null read as a value is refused`() async throws {
    let row = try await echo("$1::bigint", .null)
    #expect(throws: PostgresError.mistyped(column: 0)) { try row.int8(0) }
  }

  @Test(arguments: [-1, 1]) func `a column that is not there is refused`(
    _ column: Int
  ) async throws {
    let row = try await echo("$1::bigint", .int8(1))
    #expect(throws: PostgresError.mistyped(column: column)) { try row.int8(column) }
  }
}
