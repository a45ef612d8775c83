// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Randomness that can be had again (SplitMix64): the seed is printed when a test begins, and
/// `VAULT_TEST_SEED` sets it.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// A generator for the test of this name.
  public init(for test: String) {
    let given = ProcessInfo.processInfo.environment["VAULT_TEST_SEED"].flatMap { UInt64($0) }
    state = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): VAULT_TEST_SEED=\(state)")
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// `count` random bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
