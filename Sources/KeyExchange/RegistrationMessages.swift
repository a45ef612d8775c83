// SPDX-License-Identifier: Apache-2.0
public import Sodium

extension OPAQUE {
  /// The client's first message of a registration: a blinded password.
  public struct RegistrationRequest: Equatable, Sendable {
    /// Bytes in the message.
    public static let byteCount = 32

    let blinded: Ristretto255.Element

    init(blinded: Ristretto255.Element) { self.blinded = blinded }

    /// Parses a request.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      var reader = try MessageReader(bytes, count: Self.byteCount)
      blinded = try reader.element()
    }

    /// The message, 32 bytes.
    public var bytes: [UInt8] { blinded.bytes }
  }

  /// The server's answer to a registration: the evaluated element and its public key.
  public struct RegistrationResponse: Equatable, Sendable {
    /// Bytes in the message.
    public static let byteCount = 64

    let evaluated: Ristretto255.Element
    /// The server's public key, to be pinned.
    public let serverPublicKey: Ristretto255.Element

    init(evaluated: Ristretto255.Element, serverPublicKey: Ristretto255.Element) {
      self.evaluated = evaluated
      self.serverPublicKey = serverPublicKey
    }

    /// Parses a response.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      var reader = try MessageReader(bytes, count: Self.byteCount)
      evaluated = try reader.element()
      serverPublicKey = try reader.element()
    }

    /// The message, 64 bytes.
    public var bytes: [UInt8] { evaluated.bytes + serverPublicKey.bytes }
  }

  /// What the server keeps of an account: public key, masking key, envelope.
  ///
  /// With the server's OPRF seed it permits guessing the password offline; without, nothing.
  public struct RegistrationRecord: Equatable, Sendable {
    /// Bytes in the record.
    public static let byteCount = 192

    let clientPublicKey: Ristretto255.Element
    let maskingKey: [UInt8]
    let envelope: [UInt8]

    init(clientPublicKey: Ristretto255.Element, maskingKey: [UInt8], envelope: [UInt8]) {
      self.clientPublicKey = clientPublicKey
      self.maskingKey = maskingKey
      self.envelope = envelope
    }

    /// Parses a record.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      var reader = try MessageReader(bytes, count: Self.byteCount)
      clientPublicKey = try reader.element()
      maskingKey = reader.bytes(hashBytes)
      envelope = reader.bytes(envelopeBytes)
    }

    /// The record, 192 bytes.
    public var bytes: [UInt8] { clientPublicKey.bytes + maskingKey + envelope }

    /// A record of no account, for names that the server does not know (RFC 9807 §10.9).
    static func fake(keySeed: [UInt8], maskingKey: [UInt8]) -> RegistrationRecord {
      let key = OPRF.deriveKey(seed: keySeed.span, info: "OPAQUE-DeriveDiffieHellmanKeyPair")
      return RegistrationRecord(
        clientPublicKey: Ristretto255.multiplyBase(by: key), maskingKey: maskingKey,
        envelope: [UInt8](repeating: 0, count: envelopeBytes))
    }
  }
}

/// Takes the parts of a message of known length, front to back.
struct MessageReader {
  private var rest: ArraySlice<UInt8>

  /// Begins at the front of `bytes`.
  ///
  /// - Throws: ``KeyExchangeError/malformed`` when there are not exactly `count` of them.
  init(_ bytes: [UInt8], count: Int) throws(KeyExchangeError) {
    guard bytes.count == count else { throw .malformed }
    rest = bytes[...]
  }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// The next 32 bytes as a group element that is not the identity.
  ///
  /// - Throws: ``KeyExchangeError/malformed`` for another encoding.
  mutating func element() throws(KeyExchangeError) -> Ristretto255.Element {
    do {
      return try Ristretto255.Element(bytes(Ristretto255.bytes))
    } catch {
      throw .malformed
    }
  }
}
