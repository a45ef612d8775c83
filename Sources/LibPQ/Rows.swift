// SPDX-License-Identifier: Apache-2.0
import CPQ

/// What one statement gave: its rows, in libpq's own memory, decoded where they are read.
public struct Rows: Sendable {
  private let answer: Answer

  /// The number of rows.
  public var count: Int { answer.count }

  /// The number of rows that an INSERT, UPDATE or DELETE touched; else that of the rows.
  public var affected: Int { answer.affected }

  /// The row at `index`, which must be less than ``count``.
  public subscript(index: Int) -> Row {
    precondition(index >= 0 && index < count, "row \(index) of \(count)")
    return Row(answer: answer, index: index)
  }

  /// The first row, if there is one.
  public var first: Row? { count > 0 ? self[0] : nil }

  /// Takes over a result of libpq.
  init(_ answer: Answer) {
    self.answer = answer
  }
}

extension Rows: RandomAccessCollection {
  /// The index of the first row.
  public var startIndex: Int { 0 }
  /// One past the index of the last row.
  public var endIndex: Int { count }
}

/// One row of a result; columns are counted from 0.
public struct Row: Sendable {
  fileprivate let answer: Answer
  fileprivate let index: Int

  /// Whether the column is NULL.
  public func isNull(_ column: Int) -> Bool { answer.isNull(index, column) }

  /// A `boolean`.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func bool(_ column: Int) throws(PostgresError) -> Bool {
    try answer.field(index, column, of: TypeID.bool, count: 1) { $0[0] != 0 }
  }

  /// An `integer`.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func int4(_ column: Int) throws(PostgresError) -> Int32 {
    try answer.field(index, column, of: TypeID.int4, count: 4) { bytes in
      Int32(truncatingIfNeeded: bigEndian(bytes))
    }
  }

  /// A `bigint`.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func int8(_ column: Int) throws(PostgresError) -> Int64 {
    try answer.field(index, column, of: TypeID.int8, count: 8) { bigEndian($0) }
  }

  /// A `uuid`, its 16 bytes as a big-endian number.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func uuid(_ column: Int) throws(PostgresError) -> UInt128 {
    try answer.field(index, column, of: TypeID.uuid, count: 16) { bytes in
      var value: UInt128 = 0
      for index in bytes.indices { value = value << 8 | UInt128(bytes[index]) }
      return value
    }
  }

  /// A `text`.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func text(_ column: Int) throws(PostgresError) -> String {
    try answer.field(index, column, of: TypeID.text, count: nil) { bytes in
      unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
  }

  /// A `bytea`, copied once.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func bytes<C: RangeReplaceableCollection<UInt8>>(
    _ column: Int, as type: C.Type = [UInt8].self
  ) throws(PostgresError) -> C {
    try withBytes(column) { bytes in
      unsafe bytes.withUnsafeBufferPointer { unsafe C($0) }
    }
  }

  /// Lends the bytes of a `bytea` without a copy.
  /// - Throws: ``PostgresError/mistyped(column:)``.
  public func withBytes<R>(
    _ column: Int, _ body: (Span<UInt8>) -> R
  ) throws(PostgresError) -> R {
    try answer.field(index, column, of: TypeID.bytea, count: nil, body)
  }
}

private func bigEndian(_ bytes: Span<UInt8>) -> Int64 {
  // Starts from the sign, so that four bytes give an Int32's value.
  var value: Int64 = bytes[0] & 0x80 == 0 ? 0 : -1
  for index in bytes.indices { value = value << 8 | Int64(bytes[index]) }
  return value
}

/// Owns a `PGresult` and clears it at the end of its life.
///
/// `@unchecked Sendable`: libpq only reads a finished result, and documents that as safe from
/// several threads; this class never changes it.
@safe
final class Answer: @unchecked Sendable {
  private let base: OpaquePointer

  /// Takes `base` over.
  init(taking base: OpaquePointer) {
    unsafe self.base = base
  }

  deinit {
    unsafe PQclear(base)
  }

  var status: ExecStatusType { unsafe PQresultStatus(base) }

  var count: Int { unsafe Int(PQntuples(base)) }

  var affected: Int {
    guard let tuples = unsafe PQcmdTuples(base) else { return 0 }
    return Int(unsafe String(cString: tuples)) ?? 0
  }

  /// The error's SQLSTATE; "XX000", an internal error, where libpq made the error itself.
  var sqlState: String { diagnostic(VAULT_PG_DIAG_SQLSTATE) ?? "XX000" }

  var constraint: String? { diagnostic(VAULT_PG_DIAG_CONSTRAINT_NAME) }

  func isNull(_ row: Int, _ column: Int) -> Bool {
    guard holds(row, column) else { return true }
    return unsafe PQgetisnull(base, Int32(row), Int32(column)) != 0
  }

  /// Lends one field in binary format after checking that it is what the caller takes it for.
  func field<R>(
    _ row: Int, _ column: Int, of type: UInt32, count: Int?, _ body: (Span<UInt8>) -> R
  ) throws(PostgresError) -> R {
    guard holds(row, column), !isNull(row, column),
      unsafe PQftype(base, Int32(column)) == type, unsafe PQfformat(base, Int32(column)) == 1,
      let value = unsafe PQgetvalue(base, Int32(row), Int32(column))
    else { throw .mistyped(column: column) }
    let length = unsafe Int(PQgetlength(base, Int32(row), Int32(column)))
    guard length == count ?? length else { throw .mistyped(column: column) }
    let bytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
    return body(unsafe Span(_unsafeBytes: bytes))
  }

  private func holds(_ row: Int, _ column: Int) -> Bool {
    let columns = unsafe Int(PQnfields(base))
    return row >= 0 && row < count && column >= 0 && column < columns
  }

  private func diagnostic(_ field: Int32) -> String? {
    unsafe PQresultErrorField(base, field).map { unsafe String(cString: $0) }
  }
}
