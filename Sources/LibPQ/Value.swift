// SPDX-License-Identifier: Apache-2.0

/// One parameter, encoded in PostgreSQL's binary format when it is made.
///
/// Cast in the statement (`$1::bigint`) where the context leaves the type open: a ``null``
/// carries no type of its own.
public struct Value: Sendable {
  let type: UInt32
  let bytes: [UInt8]?

  /// SQL's NULL.
  public static let null = Value(type: 0, bytes: nil)

  /// A `boolean`.
  public static func bool(_ value: Bool) -> Value {
    Value(type: TypeID.bool, bytes: [value ? 1 : 0])
  }

  /// An `integer`.
  public static func int4(_ value: Int32) -> Value {
    Value(type: TypeID.int4, bytes: bigEndian(value))
  }

  /// A `bigint`.
  public static func int8(_ value: Int64) -> Value {
    Value(type: TypeID.int8, bytes: bigEndian(value))
  }

  /// A `text` of UTF-8; PostgreSQL refuses one that holds a NUL character (22021).
  public static func text(_ value: String) -> Value {
    Value(type: TypeID.text, bytes: [UInt8](value.utf8))
  }

  /// A `bytea`; an `[UInt8]` is taken over without a copy.
  public static func bytes(_ value: some Collection<UInt8>) -> Value {
    if let bytes = value as? [UInt8] { return Value(type: TypeID.bytea, bytes: bytes) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(value.count)
    append(value, to: &bytes)
    return Value(type: TypeID.bytea, bytes: bytes)
  }

  /// A `uuid`, whose 16 bytes are those of `value`, big-endian.
  public static func uuid(_ value: UInt128) -> Value {
    Value(type: TypeID.uuid, bytes: bigEndian(value))
  }

  /// A `uuid[]` of one dimension, for `unnest`.
  public static func uuidArray(_ values: some Collection<UInt128>) -> Value {
    var array = ArrayEncoder(of: TypeID.uuid, count: values.count, bytes: 16 * values.count)
    for value in values { array.append(number: value) }
    return Value(type: TypeID.uuidArray, bytes: array.bytes)
  }

  /// A `bigint[]` of one dimension, for `unnest`.
  public static func int8Array(_ values: some Collection<Int64>) -> Value {
    var array = ArrayEncoder(of: TypeID.int8, count: values.count, bytes: 8 * values.count)
    for value in values { array.append(number: value) }
    return Value(type: TypeID.int8Array, bytes: array.bytes)
  }

  /// A `bytea[]` of one dimension, for `unnest`.
  public static func bytesArray<C: Collection>(_ values: C) -> Value
  where C.Element: Collection<UInt8> {
    let bytes = values.reduce(0) { $0 + $1.count }
    var array = ArrayEncoder(of: TypeID.bytea, count: values.count, bytes: bytes)
    for value in values { array.append(value) }
    return Value(type: TypeID.byteaArray, bytes: array.bytes)
  }
}

/// The numbers of `pg_type` that this module speaks; built in, the same on every server.
enum TypeID {
  static let bool: UInt32 = 16
  static let bytea: UInt32 = 17
  static let int8: UInt32 = 20
  static let int4: UInt32 = 23
  static let text: UInt32 = 25
  static let byteaArray: UInt32 = 1001
  static let int8Array: UInt32 = 1016
  static let uuid: UInt32 = 2950
  static let uuidArray: UInt32 = 2951
}

/// Writes `array_send`'s format: dimensions, whether NULLs occur, element type, then for the
/// one dimension count and lower bound; then each element behind its length, all big-endian.
private struct ArrayEncoder {
  var bytes: [UInt8] = []

  init(of element: UInt32, count: Int, bytes size: Int) {
    bytes.reserveCapacity(20 + 4 * count + size)
    // An array without elements has no dimension.
    append(raw: Int32(count == 0 ? 0 : 1))
    append(raw: Int32(0))
    append(raw: Int32(bitPattern: element))
    guard count > 0 else { return }
    append(raw: Int32(count))
    append(raw: Int32(1))
  }

  mutating func append(number value: some FixedWidthInteger) {
    append(raw: Int32(value.bitWidth / 8))
    append(raw: value)
  }

  mutating func append(_ value: some Collection<UInt8>) {
    append(raw: Int32(value.count))
    LibPQ.append(value, to: &bytes)
  }

  private mutating func append<I: FixedWidthInteger>(raw value: I) {
    for shift in stride(from: I.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> I(shift)))
    }
  }
}

private func bigEndian<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
  stride(from: I.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> I($0)) }
}

/// Copies in one go what lies in one piece; a generic collection would come byte by byte.
private func append(_ value: some Collection<UInt8>, to bytes: inout [UInt8]) {
  let isCopied: Void? = value.withContiguousStorageIfAvailable {
    unsafe bytes.append(contentsOf: $0)
  }
  if isCopied == nil { bytes.append(contentsOf: value) }
}
