// SPDX-License-Identifier: Apache-2.0

// Layouts of KF1 are fixed: the length is checked first, then fields are read at their offsets.
extension Span<UInt8> {
  /// The big-endian integer at `offset`.
  func integer<T: FixedWidthInteger & UnsignedInteger>(at offset: Int, as: T.Type = T.self) -> T {
    (offset..<offset + T.bitWidth / 8).reduce(0) { $0 << 8 | T(self[$1]) }
  }

  /// A copy of the `count` bytes at `offset`; never of a key.
  func copy(at offset: Int, count: Int) -> [UInt8] {
    (offset..<offset + count).map { self[$0] }
  }

  /// The digest at `offset`.
  func digest(at offset: Int) -> Digest {
    Digest(unchecked: copy(at: offset, count: Digest.count))
  }

  /// The id at `offset`.
  func id(at offset: Int) -> ObjectID {
    ObjectID(
      high: integer(at: offset), low: integer(at: offset + 8))
  }
}
