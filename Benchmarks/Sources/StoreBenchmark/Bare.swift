// SPDX-License-Identifier: Apache-2.0
import CStores
import Foundation

/// The database by its own library, with the same durability and rows of the same size: the limit.
protocol Bare: Sendable {
  /// A further connection.
  func again() throws -> any Bare
  /// One row, one durable transaction.
  func writeOne(_ blob: [UInt8]) throws
  /// Rows in one durable transaction, as an upsert.
  func writeBatch(_ blobs: [[UInt8]]) throws
  /// Reads rows of one user in pages of 1,000; gives their bytes.
  func readAll() throws -> Int
  /// Makes the table anew.
  func reset() throws
}

/// A statement the database refused.
struct BareError: Error { let text: String }

/// Eight random bytes are the user, eight the row: keys scatter as a vault's do.
func randomKey(_ count: Int) -> [UInt8] {
  var random = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}

/// SQLite by its C interface: write-ahead log, `synchronous=FULL`.
final class BareSQLite: Bare, @unchecked Sendable {
  private let path: String
  private let base: OpaquePointer
  private let user = randomKey(16)

  init(path: String) throws {
    self.path = path
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else { throw BareError(text: path) }
    base = handle
    sqlite3_busy_timeout(base, 60_000)
    try run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
  }

  deinit { sqlite3_close_v2(base) }

  func again() throws -> any Bare { try BareSQLite(path: path) }

  func reset() throws {
    try run(
      """
      DROP TABLE IF EXISTS bare;
      CREATE TABLE bare (u BLOB NOT NULL, r BLOB NOT NULL, blob BLOB NOT NULL, PRIMARY KEY (u, r))
      """)
  }

  func writeOne(_ blob: [UInt8]) throws { try writeBatch([blob]) }

  func writeBatch(_ blobs: [[UInt8]]) throws {
    try run("BEGIN IMMEDIATE")
    let statement = try prepare(
      "INSERT INTO bare VALUES (?, ?, ?) ON CONFLICT (u, r) DO UPDATE SET blob = excluded.blob")
    defer { sqlite3_finalize(statement) }
    for blob in blobs {
      let row = randomKey(16)
      try user.withUnsafeBytes { user in
        try row.withUnsafeBytes { row in
          try blob.withUnsafeBytes { blob in
            _ = bare_bind(statement, 1, user.baseAddress, 16)
            _ = bare_bind(statement, 2, row.baseAddress, 16)
            _ = bare_bind(statement, 3, blob.baseAddress, Int32(blob.count))
            guard sqlite3_step(statement) == SQLITE_DONE else { throw BareError(text: "step") }
          }
        }
      }
      sqlite3_reset(statement)
    }
    try run("COMMIT")
  }

  func readAll() throws -> Int {
    let statement = try prepare(
      "SELECT r, blob FROM bare WHERE u = ? AND r > ? ORDER BY r LIMIT 1000")
    defer { sqlite3_finalize(statement) }
    var last: [UInt8] = [0]
    var bytes = 0
    while true {
      var rows = 0
      try user.withUnsafeBytes { user in
        try last.withUnsafeBytes { after in
          _ = bare_bind(statement, 1, user.baseAddress, 16)
          _ = bare_bind(statement, 2, after.baseAddress, Int32(after.count))
          var next: [UInt8] = []
          while sqlite3_step(statement) == SQLITE_ROW {
            rows += 1
            next = Array(column(statement, 0))
            bytes += Data(column(statement, 1)).count
          }
          sqlite3_reset(statement)
          guard rows == 0 || !next.isEmpty else { throw BareError(text: "row") }
          if rows > 0 { pending = next }
        }
      }
      if rows < 1_000 { return bytes }
      last = pending
    }
  }

  private var pending: [UInt8] = []

  private func column(_ statement: OpaquePointer, _ index: Int32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: sqlite3_column_blob(statement, index),
      count: Int(sqlite3_column_bytes(statement, index)))
  }

  private func prepare(_ text: String) throws -> OpaquePointer {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(base, text, -1, &statement, nil) == SQLITE_OK, let statement else {
      throw BareError(text: text)
    }
    return statement
  }

  private func run(_ text: String) throws {
    guard sqlite3_exec(base, text, nil, nil, nil) == SQLITE_OK else {
      throw BareError(text: "\(text): \(String(cString: sqlite3_errmsg(base)))")
    }
  }
}
