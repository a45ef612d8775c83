// SPDX-License-Identifier: Apache-2.0
public import Sodium

extension OPAQUE {
  /// The client between the two messages of a registration.
  public struct Registering: ~Copyable, Sendable {
    private let password: SecretBytes
    private let blind: Ristretto255.Scalar

    /// What goes to the server.
    public let request: RegistrationRequest

    /// Begins with a fresh blind.
    ///
    /// - Throws: ``KeyExchangeError/refused`` for a password that hashes to the identity.
    public init(password: borrowing SecretBytes) throws(KeyExchangeError) {
      try self.init(password: password, blind: .random())
    }

    /// Begins with the blind of a test vector.
    package init(
      password: borrowing SecretBytes, blind: consuming Ristretto255.Scalar
    ) throws(KeyExchangeError) {
      let blinded = try password.withBytes { (password) throws(KeyExchangeError) in
        try OPRF.blind(password, by: blind)
      }
      request = RegistrationRequest(blinded: blinded)
      self.password = password.slice(0..<password.count)
      self.blind = blind
    }

    /// The record for the server and the export key for the client.
    ///
    /// - Throws: ``KeyExchangeError/outOfMemory(kibibytes:)``.
    public borrowing func finish(
      _ response: RegistrationResponse, identities: Identities, stretching: any KeyStretching
    ) throws(KeyExchangeError) -> Registered {
      try finish(
        response, identities: identities, stretching: stretching, nonce: randomBytes(nonceBytes))
    }

    /// As above, with the envelope nonce of a test vector.
    package borrowing func finish(
      _ response: RegistrationResponse, identities: Identities, stretching: any KeyStretching,
      nonce: [UInt8]
    ) throws(KeyExchangeError) -> Registered {
      let output = password.withBytes {
        OPRF.finalize($0, blind: blind, evaluated: response.evaluated)
      }
      let randomized = try RandomizedPassword(output, stretching: stretching)
      let keys = randomized.keys(nonce: nonce)
      let publicKey = Ristretto255.multiplyBase(by: keys.client)
      let tag = keys.tag(
        nonce: nonce, serverPublicKey: response.serverPublicKey.bytes,
        clientPublicKey: publicKey.bytes, identities)
      let record = RegistrationRecord(
        clientPublicKey: publicKey, maskingKey: randomized.maskingKey().sent(),
        envelope: nonce + tag.sent())
      return Registered(
        record: record, exportKey: keys.export.slice(0..<hashBytes),
        serverPublicKey: response.serverPublicKey)
    }
  }

  /// The end of a registration.
  public struct Registered: ~Copyable, Sendable {
    /// What the server keeps.
    public let record: RegistrationRecord
    /// The client's own key, 64 bytes, which the server never learns.
    public let exportKey: SecretBytes
    /// The server's public key, bound into the record.
    public let serverPublicKey: Ristretto255.Element
  }

  /// The client between the messages of a login.
  public struct LoggingIn: ~Copyable, Sendable {
    private let password: SecretBytes
    private let blind: Ristretto255.Scalar
    private let keyshare: Ristretto255.Scalar

    /// What goes to the server.
    public let ke1: KE1

    /// Begins with a fresh blind, nonce and key share.
    ///
    /// - Throws: ``KeyExchangeError/refused`` for a password that hashes to the identity.
    public init(password: borrowing SecretBytes) throws(KeyExchangeError) {
      try self.init(
        password: password, blind: .random(), nonce: randomBytes(nonceBytes),
        keyshareSeed: .random(count: nonceBytes, in: .heap))
    }

    /// Begins with the randomness of a test vector.
    package init(
      password: borrowing SecretBytes, blind: consuming Ristretto255.Scalar, nonce: [UInt8],
      keyshareSeed: consuming SecretBytes
    ) throws(KeyExchangeError) {
      let blinded = try password.withBytes { (password) throws(KeyExchangeError) in
        try OPRF.blind(password, by: blind)
      }
      let keyshare = keyshareSeed.withBytes {
        OPRF.deriveKey(seed: $0, info: "OPAQUE-DeriveDiffieHellmanKeyPair")
      }
      ke1 = KE1(
        blinded: blinded, nonce: nonce, keyshare: Ristretto255.multiplyBase(by: keyshare))
      self.password = password.slice(0..<password.count)
      self.blind = blind
      self.keyshare = keyshare
    }

    /// One guess at what the account was registered with.
    public struct Attempt: Sendable {
      let context: [UInt8]
      let stretching: any KeyStretching

      /// A context and the key stretching that belongs to it.
      public init(context: [UInt8], stretching: any KeyStretching) {
        self.context = context
        self.stretching = stretching
      }
    }

    /// Tries `attempts` in order on one KE2, all of it here: nothing that depends on the stretched
    /// password is returned before an envelope's MAC has verified.
    ///
    /// - Throws: ``KeyExchangeError/refused`` when none fits: wrong password or wrong server;
    ///   ``KeyExchangeError/outOfMemory(kibibytes:)`` when none fits and one could not be tried.
    public borrowing func finish(
      _ ke2: KE2, identities: Identities, attempts: [Attempt]
    ) throws(KeyExchangeError) -> LoggedIn {
      let output = password.withBytes {
        OPRF.finalize($0, blind: blind, evaluated: ke2.evaluated)
      }
      var untried: KeyExchangeError?
      for (index, attempt) in attempts.enumerated() {
        do {
          return try finish(ke2, output, identities: identities, attempt, index: index)
        } catch .refused {
          continue
        } catch {
          untried = error
        }
      }
      throw untried ?? .refused
    }

    private borrowing func finish(
      _ ke2: KE2, _ output: borrowing SecretBytes, identities: Identities, _ attempt: Attempt,
      index: Int
    ) throws(KeyExchangeError) -> LoggedIn {
      let opened = try OpenedEnvelope(
        ke2, RandomizedPassword(output, stretching: attempt.stretching), identities)
      let preamble = TripleDH.preamble(
        context: attempt.context, client: identities.client ?? opened.clientPublicKey.bytes, ke1,
        server: identities.server ?? opened.serverPublicKey.bytes, ke2.unauthenticated)
      let keys = TripleDH(
        Ristretto255.SecretElement(multiplying: ke2.serverKeyshare, by: keyshare),
        Ristretto255.SecretElement(multiplying: opened.serverPublicKey, by: keyshare),
        Ristretto255.SecretElement(multiplying: ke2.serverKeyshare, by: opened.keys.client),
        preamble: preamble)
      guard keys.serverMAC().equals(ke2.serverMAC) else { throw .refused }
      return LoggedIn(
        ke3: KE3(clientMAC: keys.clientMAC(after: ke2.serverMAC).sent()),
        sessionKey: keys.sessionKey.slice(0..<hashBytes),
        exportKey: opened.keys.export.slice(0..<hashBytes),
        serverPublicKey: opened.serverPublicKey, attempt: index)
    }
  }

  /// The end of a login: the server has proved itself, and KE3 proves the client.
  public struct LoggedIn: ~Copyable, Sendable {
    /// What goes to the server.
    public let ke3: KE3
    /// The key shared with the server, 64 bytes, new at every login.
    public let sessionKey: SecretBytes
    /// The client's own key, 64 bytes, the same at every login.
    public let exportKey: SecretBytes
    /// The server's public key, verified by the envelope.
    public let serverPublicKey: Ristretto255.Element
    /// Which of the attempts fitted.
    public let attempt: Int
  }
}

/// An envelope whose MAC has verified.
private struct OpenedEnvelope: ~Copyable {
  let keys: OPAQUE.EnvelopeKeys
  let clientPublicKey: Ristretto255.Element
  let serverPublicKey: Ristretto255.Element

  /// Unmasks and verifies.
  ///
  /// - Throws: ``KeyExchangeError/refused``.
  init(
    _ ke2: OPAQUE.KE2, _ randomized: borrowing OPAQUE.RandomizedPassword,
    _ identities: OPAQUE.Identities
  ) throws(KeyExchangeError) {
    let clear = randomized.maskingKey().withBytes {
      OPAQUE.mask(ke2.maskedResponse, key: $0, nonce: ke2.maskingNonce)
    }
    let server = Array(clear[..<OPAQUE.publicKeyBytes])
    let nonce = Array(clear[OPAQUE.publicKeyBytes...].prefix(OPAQUE.nonceBytes))
    keys = randomized.keys(nonce: nonce)
    clientPublicKey = Ristretto255.multiplyBase(by: keys.client)
    let tag = keys.tag(
      nonce: nonce, serverPublicKey: server, clientPublicKey: clientPublicKey.bytes, identities)
    guard tag.equals(Array(clear.suffix(OPAQUE.hashBytes))) else { throw .refused }
    do {
      serverPublicKey = try Ristretto255.Element(server)
    } catch {
      throw .refused
    }
  }
}
