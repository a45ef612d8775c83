// SPDX-License-Identifier: Apache-2.0
import CStores
import Foundation

/// PostgreSQL by libpq: prepared statements, binary both ways, `synchronous_commit=on`.
final class BarePostgres: Bare, @unchecked Sendable {
  private let url: String
  private let user: [UInt8]
  private let connection: OpaquePointer

  init(url: String, user: [UInt8] = randomKey(16)) throws {
    self.url = url
    self.user = user
    guard let handle = PQconnectdb(url), PQstatus(handle) == CONNECTION_OK else {
      throw BareError(text: "no connection to \(url)")
    }
    connection = handle
    _ = try run("SET client_min_messages = warning")
  }

  deinit { PQfinish(connection) }

  func again() throws -> any Bare { try BarePostgres(url: url) }

  func reset() throws {
    _ = try run("DROP TABLE IF EXISTS bare")
    _ = try run(
      """
      CREATE TABLE bare (u bytea NOT NULL, r bytea NOT NULL, blob bytea NOT NULL, PRIMARY KEY (u, r))
      WITH (toast_tuple_target = 8160)
      """)
    _ = try run("ALTER TABLE bare ALTER blob SET STORAGE EXTERNAL")
  }

  func writeOne(_ blob: [UInt8]) throws {
    let text = """
      INSERT INTO bare VALUES ($1::bytea, $2::bytea, $3::bytea)
      ON CONFLICT (u, r) DO UPDATE SET blob = excluded.blob
      """
    _ = try prepared("one", text, [user, randomKey(16), blob])
  }

  func writeBatch(_ blobs: [[UInt8]]) throws {
    let text = """
      INSERT INTO bare SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bytea[])
      ON CONFLICT (u, r) DO UPDATE SET blob = excluded.blob
      """
    let keys = blobs.map { _ in randomKey(16) }
    _ = try prepared("batch", text, [user, array(keys), array(blobs)])
  }

  func readAll() throws -> Int {
    let text = """
      SELECT r, blob FROM bare WHERE u = $1::bytea AND r > $2::bytea ORDER BY r LIMIT 1000
      """
    var last: [UInt8] = [0]
    var bytes = 0
    while true {
      let rows = try prepared("read", text, [user, last])
      for (key, blob) in rows {
        bytes += blob.count
        last = key
      }
      if rows.count < 1_000 { return bytes }
    }
  }

  /// A one-dimensional `bytea[]` in PostgreSQL's binary form.
  private func array(_ values: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ number: Int) {
      let value = UInt32(number)
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    // Dimensions, no nulls, the type's number, length, lower bound.
    for number in [1, 0, 17, values.count, 1] { append(number) }
    for value in values {
      append(value.count)
      bytes += value
    }
    return bytes
  }

  private var known: Set<String> = []

  private func prepared(_ name: String, _ text: String, _ values: [[UInt8]]) throws
    -> [(key: [UInt8], blob: Data)]
  {
    if known.insert(name).inserted {
      try end(PQprepare(connection, name, text, Int32(values.count), nil)) { _ in }
    }
    let lengths = values.map { Int32($0.count) }
    let formats = values.map { _ in Int32(1) }
    let copies = values.map { value -> UnsafeMutablePointer<CChar> in
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: value.count)
      copy.initialize(from: value.map { CChar(bitPattern: $0) }, count: value.count)
      return copy
    }
    defer { copies.forEach { $0.deallocate() } }
    let pointers = copies.map { UnsafePointer<CChar>?($0) }
    var rows: [([UInt8], Data)] = []
    try end(
      PQexecPrepared(connection, name, Int32(values.count), pointers, lengths, formats, 1)
    ) { result in
      for row in 0..<PQntuples(result) {
        let cells = (0..<Int32(2)).map {
          UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, $0), count: Int(PQgetlength(result, row, $0)))
        }
        rows.append((Array(cells[0]), Data(cells[1])))
      }
    }
    return rows
  }

  private func run(_ text: String) throws { try end(PQexec(connection, text)) { _ in } }

  private func end(_ result: OpaquePointer?, _ body: (OpaquePointer) -> Void) throws {
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard let result, status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
      throw BareError(text: String(cString: PQerrorMessage(connection)))
    }
    body(result)
  }
}
