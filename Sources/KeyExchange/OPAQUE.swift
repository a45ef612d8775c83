// SPDX-License-Identifier: Apache-2.0
internal import Sodium

/// OPAQUE-3DH (RFC 9807) over ristretto255 with SHA-512, HKDF and HMAC; both sides.
///
/// Context, identities, credential identifier and key stretching are arguments, so that the RFC's
/// vectors and other implementations run through the code that KF1 uses. KF1 itself fixes them:
/// ``ClientRegistration``, ``ClientLogin`` and ``KeyExchangeServer`` are what programs call.
public enum OPAQUE {
  /// Bytes in a nonce and in a seed (Nn, Nseed).
  static let nonceBytes = 32
  /// Bytes in an encoded public key (Npk).
  static let publicKeyBytes = 32
  /// Bytes in a hash, a MAC and a derived secret (Nh, Nm, Nx).
  static let hashBytes = 64
  /// Bytes in an envelope: nonce and MAC.
  static let envelopeBytes = nonceBytes + hashBytes
  /// Bytes in a masked response: the server's public key and the envelope.
  static let maskedResponseBytes = publicKeyBytes + envelopeBytes

  /// Who takes part; nil stands for the party's public key.
  public struct Identities: Sendable {
    /// The client's identity, at most 65,535 bytes.
    public let client: [UInt8]?
    /// The server's identity, at most 65,535 bytes.
    public let server: [UInt8]?

    /// The identities of one account at one server.
    public init(client: [UInt8]? = nil, server: [UInt8]? = nil) {
      self.client = client
      self.server = server
    }
  }
}

/// Why a key exchange did not succeed.
public enum KeyExchangeError: Error, Equatable {
  /// The bytes are not a message of this kind: a wrong length or a bad group element.
  case malformed
  /// The password is wrong, or the other side is not who it should be. The two look alike.
  case refused
  /// The system did not give the memory that the Argon2id profile needs, so the password could
  /// not be tried.
  case outOfMemory(kibibytes: Int)

  init(_ error: Argon2idError) {
    self =
      switch error {
      case .outOfMemory(let kibibytes): .outOfMemory(kibibytes: kibibytes)
      }
  }
}
