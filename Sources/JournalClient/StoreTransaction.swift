// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow

/// One transaction of the local store; its extensions hold the statements, a file a table.
///
/// Must not outlive the closure that it is given to.
struct StoreTransaction {
  let db: Database

  /// Runs one statement that gives no rows.
  ///
  /// - Throws: What SQLite says.
  func run(
    _ sql: String, _ arguments: StatementArguments = StatementArguments()
  ) throws(JournalError) {
    try catching { try db.cachedStatement(sql: sql).execute(arguments: arguments) }
  }

  /// All rows of one statement, each turned into a value.
  ///
  /// - Throws: What SQLite says, and `damagedStore` where `make` finds no such value in a row.
  func all<T>(
    _ sql: String, _ arguments: StatementArguments = StatementArguments(), _ make: (GRDB.Row) -> T?
  ) throws(JournalError) -> [T] {
    try catching {
      let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
      var values: [T] = []
      while let row = try rows.next() {
        guard let value = make(row) else { throw JournalError.damagedStore }
        values.append(value)
      }
      return values
    }
  }

  /// The first row of one statement.
  ///
  /// - Throws: As ``all(_:_:_:)``.
  func one<T>(
    _ sql: String, _ arguments: StatementArguments = StatementArguments(), _ make: (GRDB.Row) -> T?
  ) throws(JournalError) -> T? {
    try catching {
      let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
      guard let row = try rows.next() else { return T?.none }
      guard let value = make(row) else { throw JournalError.damagedStore }
      return T?.some(value)
    }
  }

  private func catching<R>(_ body: () throws -> R) throws(JournalError) -> R {
    do {
      return try body()
    } catch {
      throw .store(error)
    }
  }
}

// Columns hold what the schema says; still, a damaged file must not trap.
extension GRDB.Row {
  func id(_ index: Int) -> ObjectID? { (self[index] as Data?).flatMap { ObjectID($0) } }
  func digest(_ index: Int) -> Digest? { (self[index] as Data?).flatMap { Digest($0) } }
  func bytes(_ index: Int) -> [UInt8]? { (self[index] as Data?).map { [UInt8]($0) } }
  func number(_ index: Int) -> Int64? { self[index] as Int64? }
  func unsigned(_ index: Int) -> UInt64? { number(index).flatMap { UInt64(exactly: $0) } }
  func epoch(_ index: Int) -> UInt32? { number(index).flatMap { UInt32(exactly: $0) } }
  func instant(_ index: Int) -> Instant? { number(index).map { Instant(milliseconds: $0) } }
}

extension ObjectID { var data: Data { Data(bytes) } }
extension Digest { var data: Data { Data(bytes) } }
