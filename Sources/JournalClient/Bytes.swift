// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium

/// Writes the fixed-layout contents of local items; integers are big-endian.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int = 0) {
    bytes.reserveCapacity(capacity)
  }

  mutating func put<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  mutating func put(_ id: ObjectID) { bytes += id.bytes }

  mutating func put(raw: some Collection<UInt8>) { bytes += raw }

  mutating func put(copying span: Span<UInt8>) { bytes.append(copying: span) }
}

// Reads what `ByteWriter` wrote: `nil` past the end, and never a trap.
extension Span<UInt8> {
  func integer<T: FixedWidthInteger>(at offset: Int, as: T.Type = T.self) -> T? {
    let size = T.bitWidth / 8
    guard offset >= 0, offset <= count - size else { return nil }
    var value: T = 0
    for index in offset..<offset + size { value = value << 8 | T(truncatingIfNeeded: self[index]) }
    return value
  }

  func copy(_ range: Range<Int>) -> [UInt8]? {
    guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
    var bytes: [UInt8] = []
    bytes.append(copying: extracting(range))
    return bytes
  }

  func id(at offset: Int) -> ObjectID? {
    guard offset >= 0, offset <= count - ObjectID.count else { return nil }
    return copy(offset..<offset + ObjectID.count).flatMap { ObjectID($0) }
  }

  func text(_ range: Range<Int>) -> String? {
    copy(range).map { String(decoding: $0, as: UTF8.self) }
  }
}
