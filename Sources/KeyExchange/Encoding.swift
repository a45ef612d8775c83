// SPDX-License-Identifier: Apache-2.0
internal import Sodium

/// `u16 length ‖ bytes`, big-endian.
func lp16(_ bytes: [UInt8]) -> [UInt8] {
  lengthPrefix(bytes.count) + bytes
}

/// A length of at most 65,535 as u16, big-endian.
func lengthPrefix(_ count: Int) -> [UInt8] {
  precondition(count <= 0xFFFF, "a length has 16 bits")
  return [UInt8(count >> 8), UInt8(count & 0xFF)]
}

/// The first 32 bytes of SHA-512.
func hash32(_ bytes: [UInt8]) -> [UInt8] {
  SHA512.hash32(bytes.span)
}
