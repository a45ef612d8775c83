// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from arrays and spans whose sizes were checked.
private import CSodium

/// Ed25519 signatures (RFC 8032), detached.
public enum Ed25519 {
  /// Bytes in a seed.
  public static let seedBytes = 32
  /// Bytes in a public key.
  public static let publicKeyBytes = 32
  /// Bytes in a signature.
  public static let signatureBytes = 64

  /// A signing key: the expanded seed and its public key.
  public struct SigningKey: ~Copyable, Sendable {
    private let secret: SecretBytes

    /// The key that verifies, 32 bytes.
    public let publicKey: [UInt8]

    /// The key of a 32-byte `seed`.
    public init(seed: borrowing SecretBytes) {
      precondition(seed.count == seedBytes, "an Ed25519 seed has 32 bytes")
      var publicKey = [UInt8](repeating: 0, count: publicKeyBytes)
      secret = seed.withBytes { seed in
        SecretBytes(count: 64) { out in
          unsafe out.withUnsafeMutableBufferPointer { out in
            unsafe seed.withUnsafeBufferPointer { seed in
              _ = unsafe crypto_sign_seed_keypair(&publicKey, out.baseAddress!, seed.baseAddress!)
            }
          }
        }
      }
      self.publicKey = publicKey
    }

    /// The signature of `message`, 64 bytes, deterministic.
    public borrowing func sign(_ message: [UInt8]) -> [UInt8] {
      var signature = [UInt8](repeating: 0, count: signatureBytes)
      secret.withBytes { secret in
        unsafe secret.withUnsafeBufferPointer { secret in
          _ = unsafe crypto_sign_detached(
            &signature, nil, message, UInt64(message.count), secret.baseAddress!)
        }
      }
      return signature
    }
  }

  /// Whether `signature` is `publicKey`'s on `message`; wrong lengths are refused, not trapped.
  public static func verify(
    _ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]
  ) -> Bool {
    guard signature.count == signatureBytes, publicKey.count == publicKeyBytes else { return false }
    return unsafe crypto_sign_verify_detached(
      signature, message, UInt64(message.count), publicKey) == 0
  }
}
