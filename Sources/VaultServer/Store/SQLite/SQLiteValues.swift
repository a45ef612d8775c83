// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VaultProtocol

/// What stands in a column or a statement's argument.
///
/// GRDB's own protocol would do, but a conformance to it of types that are public elsewhere would
/// be public too, and might meet another one in the same program.
protocol ColumnValue {
  var databaseValue: DatabaseValue { get }

  /// The value of a column; nothing where it is NULL or of another type or size.
  static func column(_ index: Int, of row: Row) -> Self?
}

extension ColumnValue where Self: DatabaseValueConvertible & StatementColumnConvertible {
  static func column(_ index: Int, of row: Row) -> Self? { row[index] }
}

extension Int: ColumnValue {}
extension Int64: ColumnValue {}
extension Bool: ColumnValue {}
extension String: ColumnValue {}
extension Data: ColumnValue {}
extension UInt8: ColumnValue {}
extension UInt32: ColumnValue {}

extension UInt64: ColumnValue {
  /// A seq or a revision: checked to fit before it comes here, and no less ordered if not.
  var databaseValue: DatabaseValue { Int64(clamping: self).databaseValue }
}

extension Bytes16: ColumnValue {
  var databaseValue: DatabaseValue { Data(bytes).databaseValue }
  static func column(_ index: Int, of row: Row) -> Self? {
    Data.column(index, of: row).flatMap { Self($0.span) }
  }
}

extension Bytes32: ColumnValue {
  var databaseValue: DatabaseValue { Data(bytes).databaseValue }
  static func column(_ index: Int, of row: Row) -> Self? {
    Data.column(index, of: row).flatMap { Self($0.span) }
  }
}

extension SessionID: ColumnValue {
  /// All 64 bits as SQLite's signed number.
  var databaseValue: DatabaseValue { Int64(bitPattern: number).databaseValue }
  static func column(_ index: Int, of row: Row) -> Self? {
    Int64.column(index, of: row).map { Self(number: UInt64(bitPattern: $0)) }
  }
}

/// A value, or NULL.
struct Nullable<Value: ColumnValue>: ColumnValue {
  private let value: Value?

  init(_ value: Value?) {
    self.value = value
  }

  var databaseValue: DatabaseValue { value?.databaseValue ?? .null }

  static func column(_ index: Int, of row: Row) -> Self? {
    row.hasNull(atIndex: index) ? Self(nil) : Value.column(index, of: row).map { Self($0) }
  }
}

extension Timestamp: ColumnValue {
  var databaseValue: DatabaseValue { milliseconds.databaseValue }
  static func column(_ index: Int, of row: Row) -> Self? {
    Int64.column(index, of: row).map { Self(milliseconds: $0) }
  }
}

extension Row {
  /// The value of column `index`, which the schema promises to be there and of this type.
  ///
  /// - Throws: ``StoreError/damaged(_:)`` when it is not.
  func value<T: ColumnValue>(_ index: Int, as type: T.Type = T.self) throws -> T {
    guard let value = T.column(index, of: self) else {
      throw StoreError.damaged("column \(index) is not a \(type)")
    }
    return value
  }

  /// The value of column `index`, or nothing where it is NULL.
  func optional<T: ColumnValue>(_ index: Int, as type: T.Type = T.self) throws -> T? {
    hasNull(atIndex: index) ? nil : try value(index)
  }
}

extension Database {
  /// The first row of a statement that is kept compiled.
  func row(_ sql: String, _ arguments: [any ColumnValue]) throws -> Row? {
    try Row.fetchOne(cachedStatement(sql: sql), arguments: bound(arguments))
  }

  /// Runs a statement that is kept compiled; the number of rows it changed.
  @discardableResult
  func run(_ sql: String, _ arguments: [any ColumnValue]) throws -> Int {
    try cachedStatement(sql: sql).execute(arguments: bound(arguments))
    return changesCount
  }

  /// Hands each row of a statement that is kept compiled to `body`, until that returns false.
  func forEach(
    _ sql: String, _ arguments: [any ColumnValue], _ body: (Row) throws -> Bool
  ) throws {
    let rows = try Row.fetchCursor(cachedStatement(sql: sql), arguments: bound(arguments))
    while let row = try rows.next() {
      guard try body(row) else { return }
    }
  }

  private func bound(_ arguments: [any ColumnValue]) -> StatementArguments {
    StatementArguments(arguments.map(\.databaseValue))
  }
}
