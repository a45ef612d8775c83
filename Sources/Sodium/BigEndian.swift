// SPDX-License-Identifier: Apache-2.0

/// The bytes of `number`, most significant first: the order of everything in KF1.
@inlinable
public func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(Number.bitWidth / 8)
  bytes.append(bigEndian: number)
  return bytes
}

extension [UInt8] {
  /// Appends the bytes of `number`, most significant first.
  @inlinable
  public mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
    var shift = Number.bitWidth - 8
    while shift >= 0 {
      append(UInt8(truncatingIfNeeded: number >> shift))
      shift -= 8
    }
  }
}
