// SPDX-License-Identifier: Apache-2.0

/// How long a sealed plaintext is: buckets, so that sizes say little (SPEC §6, ATTACKS B4).
enum Padding {
  /// The largest content of a blob: 1 MiB.
  static let largestContent = 1 << 20

  /// The padded length of `content` bytes: `max(512, Padmé(content + 4))`.
  static func length(content: Int) -> Int {
    max(512, padme(content + 4))
  }

  /// Padmé (Nikitin et al., PURBs, PETS 2019): overhead at most 12 %, falling with the length.
  private static func padme(_ length: Int) -> Int {
    let exponent = Int.bitWidth - 1 - length.leadingZeroBitCount
    let bits = Int.bitWidth - exponent.leadingZeroBitCount
    let mask = (1 << (exponent - bits)) - 1
    return (length + mask) & ~mask
  }
}
