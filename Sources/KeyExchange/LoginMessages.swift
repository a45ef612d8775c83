// SPDX-License-Identifier: Apache-2.0
internal import Sodium

extension OPAQUE {
  /// The client's first message of a login.
  public struct KE1: Equatable, Sendable {
    /// Bytes in the message.
    public static let byteCount = 96

    let blinded: Ristretto255.Element
    let clientNonce: [UInt8]
    let clientKeyshare: Ristretto255.Element

    init(blinded: Ristretto255.Element, nonce: [UInt8], keyshare: Ristretto255.Element) {
      self.blinded = blinded
      clientNonce = nonce
      clientKeyshare = keyshare
    }

    /// Parses a KE1.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      var reader = try MessageReader(bytes, count: Self.byteCount)
      blinded = try reader.element()
      clientNonce = reader.bytes(nonceBytes)
      clientKeyshare = try reader.element()
    }

    /// The message, 96 bytes.
    public var bytes: [UInt8] { blinded.bytes + clientNonce + clientKeyshare.bytes }
  }

  /// The server's answer to a login.
  public struct KE2: Equatable, Sendable {
    /// Bytes in the message.
    public static let byteCount = 320

    let evaluated: Ristretto255.Element
    let maskingNonce: [UInt8]
    let maskedResponse: [UInt8]
    let serverNonce: [UInt8]
    let serverKeyshare: Ristretto255.Element
    let serverMAC: [UInt8]

    init(unauthenticated part: Unauthenticated, serverMAC: [UInt8]) {
      evaluated = part.evaluated
      maskingNonce = part.maskingNonce
      maskedResponse = part.maskedResponse
      serverNonce = part.serverNonce
      serverKeyshare = part.serverKeyshare
      self.serverMAC = serverMAC
    }

    /// Parses a KE2.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      var reader = try MessageReader(bytes, count: Self.byteCount)
      evaluated = try reader.element()
      maskingNonce = reader.bytes(nonceBytes)
      maskedResponse = reader.bytes(maskedResponseBytes)
      serverNonce = reader.bytes(nonceBytes)
      serverKeyshare = try reader.element()
      serverMAC = reader.bytes(hashBytes)
    }

    /// The message, 320 bytes.
    public var bytes: [UInt8] { unauthenticated.bytes + serverMAC }

    var unauthenticated: Unauthenticated {
      Unauthenticated(
        evaluated: evaluated, maskingNonce: maskingNonce, maskedResponse: maskedResponse,
        serverNonce: serverNonce, serverKeyshare: serverKeyshare)
    }

    /// All of a KE2 but its MAC: what the MAC is made over.
    struct Unauthenticated {
      let evaluated: Ristretto255.Element
      let maskingNonce: [UInt8]
      let maskedResponse: [UInt8]
      let serverNonce: [UInt8]
      let serverKeyshare: Ristretto255.Element

      /// The part, 256 bytes.
      var bytes: [UInt8] {
        evaluated.bytes + maskingNonce + maskedResponse + serverNonce + serverKeyshare.bytes
      }
    }
  }

  /// The client's second message of a login: the proof that it knows the password.
  public struct KE3: Equatable, Sendable {
    /// Bytes in the message.
    public static let byteCount = 64

    /// The message, 64 bytes.
    public let bytes: [UInt8]

    init(clientMAC: [UInt8]) { bytes = clientMAC }

    /// Parses a KE3.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(bytes: [UInt8]) throws(KeyExchangeError) {
      guard bytes.count == Self.byteCount else { throw .malformed }
      self.bytes = bytes
    }
  }
}
