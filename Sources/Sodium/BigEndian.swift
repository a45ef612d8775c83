// SPDX-License-Identifier: Apache-2.0

/// The bytes of `number`, most significant first: the order of everything in KF1.
public func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
