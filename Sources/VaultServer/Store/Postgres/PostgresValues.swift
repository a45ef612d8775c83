// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

extension Value {
  /// An id, as `uuid`.
  static func id<P>(_ id: Bytes16<P>) -> Value { .uuid(id.number) }

  /// Ids, as `uuid[]`.
  static func ids<P>(_ ids: [Bytes16<P>]) -> Value { .uuidArray(ids.map(\.number)) }

  /// A hash, as `bytea`.
  static func hash<P>(_ hash: Bytes32<P>) -> Value { .bytes(hash.bytes) }

  /// Hashes, as `bytea[]`.
  static func hashes<P>(_ hashes: [Bytes32<P>]) -> Value { .bytesArray(hashes.map(\.bytes)) }

  /// A number, as `bigint`; what does not fit becomes the largest, which no row holds.
  static func number(_ number: some BinaryInteger) -> Value { .int8(Int64(clamping: number)) }

  /// A moment, as `bigint`.
  static func time(_ time: Timestamp) -> Value { .int8(time.milliseconds) }

  /// A session's number, as the `bigint` with the same bits.
  static func session(_ id: SessionID) -> Value { .int8(Int64(bitPattern: id.number)) }

  /// A session's number or NULL.
  static func session(_ id: SessionID?) -> Value { id.map { .session($0) } ?? .null }

  /// Bytes or NULL.
  static func optional(_ data: Data?) -> Value { data.map { .bytes($0) } ?? .null }
}

/// Reads one row from left to right; what is not as the schema says is damage.
struct Columns {
  private let row: Row
  private var next = 0

  init(_ row: Row) {
    self.row = row
  }

  /// The columns of a statement's only row.
  ///
  /// - Throws: ``StoreError/damaged(_:)`` where there is none.
  init(first rows: Rows) throws(StoreError) {
    guard let row = rows.first else { throw .damaged("a row that must be there is missing") }
    self.init(row)
  }

  /// Whether the next column is NULL; if so, it is passed over.
  mutating func skipNull() -> Bool {
    guard row.isNull(next) else { return false }
    next += 1
    return true
  }

  /// Passes over columns.
  mutating func skip(_ count: Int) { next += count }

  mutating func int64() throws(StoreError) -> Int64 { try take(Row.int8) }

  mutating func bool() throws(StoreError) -> Bool { try take(Row.bool) }

  mutating func data() throws(StoreError) -> Data {
    try take { row in { (column) throws(PostgresError) in try row.bytes(column, as: Data.self) } }
  }

  mutating func optionalData() throws(StoreError) -> Data? { skipNull() ? nil : try data() }

  mutating func id<P>() throws(StoreError) -> Bytes16<P> { Bytes16(number: try take(Row.uuid)) }

  mutating func hash<P>() throws(StoreError) -> Bytes32<P> {
    let column = next
    let bytes = try take { row in
      { (column) throws(PostgresError) in try row.withBytes(column) { Bytes32<P>($0) } }
    }
    guard let bytes else { throw .damaged("a hash of the wrong length in column \(column)") }
    return bytes
  }

  mutating func time() throws(StoreError) -> Timestamp { Timestamp(milliseconds: try int64()) }

  mutating func session() throws(StoreError) -> SessionID {
    SessionID(number: UInt64(bitPattern: try int64()))
  }

  /// A number that the schema keeps within `I`.
  mutating func number<I: FixedWidthInteger>(_ type: I.Type = I.self) throws(StoreError) -> I {
    let column = next
    guard let number = I(exactly: try int64()) else {
      throw .damaged("a number out of range in column \(column)")
    }
    return number
  }

  private mutating func take<T>(
    _ read: (Row) -> (Int) throws(PostgresError) -> T
  ) throws(StoreError) -> T {
    do throws(PostgresError) {
      let value = try read(row)(next)
      next += 1
      return value
    } catch {
      throw StoreError(error)
    }
  }
}

extension StoreError {
  /// What a failure of the database means to the store's caller.
  init(_ error: PostgresError) {
    self =
      switch error {
      case .refused(let sqlState, _, _): StoreError(sqlState: sqlState)
      case .unavailable, .connectionLost: .unavailable(.connection)
      case .timedOut: .unavailable(.busy)
      case .cancelled: .unavailable(.other(code: "cancelled"))
      case .closed: .unavailable(.closed)
      case .mistyped(let column): .damaged("a value of another type in column \(column)")
      }
  }

  private init(sqlState: String) {
    self =
      switch sqlState {
      case "53100": .unavailable(.full)
      case "58030": .unavailable(.inputOutput)
      case "40001", "40P01", "55P03", "57014", "53200": .unavailable(.busy)
      case "57P01", "57P02", "57P03", "53300": .unavailable(.connection)
      case "XX001", "XX002": .damaged("the database reports \(sqlState)")
      case _ where sqlState.hasPrefix("08"): .unavailable(.connection)
      default: .unavailable(.other(code: sqlState))
      }
  }
}
