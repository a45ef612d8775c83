// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from spans whose sizes were checked to be nonzero.
private import CSodium

/// Argon2id version 0x13 (RFC 9106) with one lane, by libsodium's `crypto_pwhash`.
///
/// Which costs are allowed is policy and stands in `KeyExchange`'s profile table, not here.
public struct Argon2id: Equatable, Sendable {
  /// Bytes in a salt.
  public static let saltBytes = 16

  /// Passes over the memory (t); at least 1.
  public let passes: Int

  /// Memory (m), in KiB; at least 8.
  public let memoryKiB: Int

  /// The cost of one derivation.
  public init(passes: Int, memoryKiB: Int) {
    precondition(passes >= 1 && memoryKiB >= 8)
    self.passes = passes
    self.memoryKiB = memoryKiB
  }

  /// `count` bytes (at least 16) derived from `password` and a 16-byte `salt`.
  ///
  /// Blocks the thread for as long as the cost says.
  ///
  /// - Throws: ``Argon2idError`` when the system does not have the memory to spare. libsodium has
  ///   zeroed its output then; it is never returned (ATTACKS A12).
  public func derive(
    from password: Span<UInt8>, salt: [UInt8], count: Int
  ) throws(Argon2idError) -> SecretBytes {
    precondition(salt.count == Self.saltBytes && count >= 16)
    return try SecretBytes(count: count) { (out) throws(Argon2idError) in
      // An empty password still needs an address.
      var none: CChar = 0
      let status = unsafe out.withUnsafeMutableBufferPointer { out in
        unsafe password.withUnsafeBytes { password in
          unsafe withUnsafeMutablePointer(to: &none) { none in
            unsafe crypto_pwhash(
              out.baseAddress!, UInt64(out.count),
              password.baseAddress?.assumingMemoryBound(to: CChar.self) ?? UnsafePointer(none),
              UInt64(password.count), salt, UInt64(passes), memoryKiB * 1024,
              crypto_pwhash_ALG_ARGON2ID13)
          }
        }
      }
      guard status == 0 else { throw .outOfMemory(kibibytes: memoryKiB) }
    }
  }
}

/// Why a password could not be stretched.
public enum Argon2idError: Error, Equatable {
  /// The system did not give the memory asked for.
  case outOfMemory(kibibytes: Int)
}
