// SPDX-License-Identifier: Apache-2.0
public import Sodium

extension OPAQUE {
  /// The server's two secrets; they lie outside the database and its backups.
  public struct ServerKeys: ~Copyable, Sendable {
    /// Bytes in the OPRF seed.
    public static let seedBytes = 64
    /// Bytes in the private key.
    public static let privateKeyBytes = 32

    private let oprfSeed: SecretBytes
    fileprivate let privateKey: Ristretto255.Scalar

    /// What clients pin.
    public let publicKey: Ristretto255.Element

    /// The keys of a 64-byte OPRF seed and a 32-byte private key, a canonical nonzero scalar.
    ///
    /// - Throws: ``KeyExchangeError/malformed``.
    public init(
      oprfSeed: borrowing SecretBytes, privateKey: borrowing SecretBytes
    ) throws(KeyExchangeError) {
      guard oprfSeed.count == Self.seedBytes else { throw .malformed }
      do {
        self.privateKey = try privateKey.withBytes { (key) throws(Ristretto255Error) in
          // It stays as long as the server runs.
          try Ristretto255.Scalar(key, in: .guarded)
        }
      } catch {
        throw .malformed
      }
      self.oprfSeed = oprfSeed.slice(0..<Self.seedBytes)
      publicKey = Ristretto255.multiplyBase(by: self.privateKey)
    }

    /// New keys, lent once as `oprfSeed ‖ privateKey` (96 bytes) to be written down.
    public static func make() -> SecretBytes {
      let seed = SecretBytes.random(count: seedBytes, in: .heap)
      let key = Ristretto255.Scalar.random()
      return SecretBytes(count: seedBytes + privateKeyBytes) { out in
        seed.withBytes { out.write($0) }
        key.withBytes { out.write($0, at: seedBytes) }
      }
    }

    /// `HMAC-SHA-512(OPRF seed, message)`, 64 bytes: what a server answers for names it does not
    /// know, the same each time.
    borrowing func pseudorandom(_ message: [UInt8]) -> [UInt8] {
      oprfSeed.withBytes { HMACSHA512.tag(message.span, key: $0) }.sent()
    }

    /// The OPRF key of one credential identifier.
    fileprivate borrowing func oprfKey(_ credentialIdentifier: [UInt8]) -> Ristretto255.Scalar {
      let info = credentialIdentifier + Array("OprfKey".utf8)
      let seed = oprfSeed.withBytes {
        HKDF.expand(prk: $0, info: info.span, count: nonceBytes, in: .heap)
      }
      return seed.withBytes { OPRF.deriveKey(seed: $0, info: "OPAQUE-DeriveKeyPair") }
    }

    /// The answer to a registration request.
    public borrowing func respond(
      to request: RegistrationRequest, credentialIdentifier: [UInt8]
    ) -> RegistrationResponse {
      RegistrationResponse(
        evaluated: OPRF.evaluate(request.blinded, key: oprfKey(credentialIdentifier)),
        serverPublicKey: publicKey)
    }

    /// The answer to a KE1, and what the server must remember for the KE3.
    public borrowing func respond(
      to ke1: KE1, record: RegistrationRecord, credentialIdentifier: [UInt8],
      identities: Identities, context: [UInt8]
    ) -> LoginAnswer {
      respond(
        to: ke1, record: record, credentialIdentifier: credentialIdentifier,
        identities: identities, context: context, maskingNonce: randomBytes(nonceBytes),
        serverNonce: randomBytes(nonceBytes),
        keyshareSeed: .random(count: nonceBytes, in: .heap))
    }

    /// As above, with the randomness of a test vector.
    package borrowing func respond(
      to ke1: KE1, record: RegistrationRecord, credentialIdentifier: [UInt8],
      identities: Identities, context: [UInt8], maskingNonce: [UInt8], serverNonce: [UInt8],
      keyshareSeed: consuming SecretBytes
    ) -> LoginAnswer {
      let keyshare = keyshareSeed.withBytes {
        OPRF.deriveKey(seed: $0, info: "OPAQUE-DeriveDiffieHellmanKeyPair")
      }
      let part = KE2.Unauthenticated(
        evaluated: OPRF.evaluate(ke1.blinded, key: oprfKey(credentialIdentifier)),
        maskingNonce: maskingNonce,
        maskedResponse: mask(
          publicKey.bytes + record.envelope, key: record.maskingKey.span, nonce: maskingNonce),
        serverNonce: serverNonce, serverKeyshare: Ristretto255.multiplyBase(by: keyshare))
      let preamble = TripleDH.preamble(
        context: context, client: identities.client ?? record.clientPublicKey.bytes, ke1,
        server: identities.server ?? publicKey.bytes, part)
      let keys = TripleDH(
        Ristretto255.SecretElement(multiplying: ke1.clientKeyshare, by: keyshare),
        Ristretto255.SecretElement(multiplying: ke1.clientKeyshare, by: privateKey),
        Ristretto255.SecretElement(multiplying: record.clientPublicKey, by: keyshare),
        preamble: preamble)
      let serverMAC = keys.serverMAC().sent()
      return LoginAnswer(
        ke2: KE2(unauthenticated: part, serverMAC: serverMAC),
        state: LoginState(expected: keys.clientMAC(after: serverMAC), sessionKey: keys.sessionKey))
    }
  }

  /// The server's part of a login: what it answers, and what it waits for.
  public struct LoginAnswer: ~Copyable, Sendable {
    /// What goes to the client.
    public let ke2: KE2
    /// What the server needs for the KE3.
    public let state: LoginState
  }

  /// What the server must remember between KE2 and KE3: a value that it seals into its answer.
  public struct LoginState: ~Copyable, Sendable {
    /// Bytes in the serialised state.
    public static let byteCount = 2 * hashBytes

    private let secret: SecretBytes

    init(expected: borrowing SecretBytes, sessionKey: borrowing SecretBytes) {
      secret = SecretBytes(count: Self.byteCount, in: .heap) { out in
        expected.withBytes { out.write($0) }
        sessionKey.withBytes { out.write($0, at: hashBytes) }
      }
    }

    /// Takes up a state that ``withBytes(_:)`` lent.
    ///
    /// - Throws: ``KeyExchangeError/malformed`` for another length than 128 bytes.
    public init(bytes: Span<UInt8>) throws(KeyExchangeError) {
      guard bytes.count == Self.byteCount else { throw .malformed }
      secret = SecretBytes(copying: bytes, in: .heap)
    }

    /// Lends the 128 bytes to be sealed; they hold the session key.
    ///
    /// - Throws: What `body` throws.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
      _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
      try secret.withBytes(body)
    }

    /// Checks a KE3 and gives the session key, 64 bytes; the same again when repeated.
    ///
    /// - Throws: ``KeyExchangeError/refused`` when the client did not know the password.
    public borrowing func finish(_ ke3: KE3) throws(KeyExchangeError) -> SecretBytes {
      guard secret.slice(0..<hashBytes, in: .heap).equals(ke3.bytes) else { throw .refused }
      return secret.slice(hashBytes..<Self.byteCount)
    }
  }
}
