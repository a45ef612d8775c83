// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// Who logs in where: the account, the server, and the password that belongs to both.
public struct Credentials: ~Copyable, Sendable {
  /// The account.
  public let account: AccountName
  /// The server, by its pinned name.
  public let server: ServerName
  /// What is stretched.
  public let input: PasswordInput

  /// Normalises the password and binds it to the account and the server.
  ///
  /// - Throws: ``CredentialError`` when the password is none.
  public init(
    account: AccountName, server: ServerName, password: borrowing SecretBytes,
    code: borrowing AccountCode? = nil
  ) throws(CredentialError) {
    self.account = account
    self.server = server
    input = try PasswordInput(password: password, account: account, server: server, code: code)
  }

  /// As above, for a password that is being chosen.
  ///
  /// - Throws: ``CredentialError``, also when the password holds a character that a new password
  ///   may not hold.
  public init(
    account: AccountName, server: ServerName, newPassword: borrowing SecretBytes,
    code: borrowing AccountCode? = nil
  ) throws(CredentialError) {
    self.account = account
    self.server = server
    input = try PasswordInput(
      newPassword: newPassword, account: account, server: server, code: code)
  }
}

/// A KF1 registration, on the client: also a password change, and the end of a recovery.
public struct ClientRegistration: ~Copyable, Sendable {
  private let registering: OPAQUE.Registering
  private let identities: OPAQUE.Identities

  /// What goes to the server, 32 bytes.
  public let request: [UInt8]

  /// Begins.
  ///
  /// - Throws: ``KeyExchangeError/refused`` for a password that no one can have.
  public init(_ credentials: borrowing Credentials) throws(KeyExchangeError) {
    registering = try OPAQUE.Registering(password: credentials.input.secret)
    identities = .kf1(credentials.account, credentials.server)
    request = registering.request.bytes
  }

  /// The record for the server, under `profile`, and the export key.
  ///
  /// - Parameters:
  ///   - response: The server's answer, 64 bytes.
  ///   - profile: What guessing this password shall cost.
  ///   - serverKey: The server's pinned OPAQUE key; `nil` only at the first contact.
  /// - Returns: The record, the export key, and the server's key to be pinned.
  /// - Throws: ``KeyExchangeError/malformed``; ``KeyExchangeError/refused`` when the server's key
  ///   is not the pinned one; ``KeyExchangeError/outOfMemory(kibibytes:)``.
  public borrowing func finish(
    _ response: [UInt8], profile: Profile, serverKey: [UInt8]?
  ) throws(KeyExchangeError) -> OPAQUE.Registered {
    let response = try OPAQUE.RegistrationResponse(bytes: response)
    if let serverKey, serverKey != response.serverPublicKey.bytes { throw .refused }
    return try registering.finish(response, identities: identities, stretching: profile)
  }
}

/// A KF1 login, on the client.
public struct ClientLogin: ~Copyable, Sendable {
  private let loggingIn: OPAQUE.LoggingIn
  private let identities: OPAQUE.Identities

  /// What goes to the server, 96 bytes.
  public let ke1: [UInt8]

  /// Begins.
  ///
  /// - Throws: ``KeyExchangeError/refused`` for a password that no one can have.
  public init(_ credentials: borrowing Credentials) throws(KeyExchangeError) {
    loggingIn = try OPAQUE.LoggingIn(password: credentials.input.secret)
    identities = .kf1(credentials.account, credentials.server)
    ke1 = loggingIn.ke1.bytes
  }

  /// Opens the server's answer and proves the password; one Argon2id run for each profile tried.
  ///
  /// All profiles are tried here, on the same answer: the server does not learn which one fits,
  /// nor anything else of the password, before its own MAC and the envelope's have verified.
  ///
  /// - Parameters:
  ///   - ke2: The server's answer, 320 bytes.
  ///   - profiles: The one that this device remembers, or the table in its order.
  /// - Returns: The KE3 to be sent, and the keys.
  /// - Throws: ``KeyExchangeError/refused`` for a wrong password, a wrong server and forged bytes
  ///   alike; ``KeyExchangeError/outOfMemory(kibibytes:)`` when a profile that may be the right
  ///   one could not be tried.
  public borrowing func finish(
    _ ke2: [UInt8], trying profiles: [Profile] = Profile.table
  ) throws(KeyExchangeError) -> LoginResult {
    guard let ke2 = try? OPAQUE.KE2(bytes: ke2) else { throw .refused }
    let attempts = profiles.map {
      OPAQUE.LoggingIn.Attempt(context: kf1Context(profile: $0.id), stretching: $0)
    }
    let done = try loggingIn.finish(ke2, identities: identities, attempts: attempts)
    return LoginResult(
      ke3: done.ke3.bytes, profile: profiles[done.attempt],
      serverKey: done.serverPublicKey.bytes, sessionKey: done.sessionKey.slice(0..<64),
      exportKey: done.exportKey.slice(0..<64))
  }
}

/// What a login gives the client.
public struct LoginResult: ~Copyable, Sendable {
  /// What goes to the server, 64 bytes.
  public let ke3: [UInt8]
  /// The profile that fitted: remember it, so that the next login tries only this one.
  public let profile: Profile
  /// The server's OPAQUE key, verified by the envelope, 32 bytes.
  public let serverKey: [UInt8]
  /// The key of this login, 64 bytes: ``SessionToken`` comes from it.
  public let sessionKey: SecretBytes
  /// The account's own key, 64 bytes: the password slot's key comes from it.
  public let exportKey: SecretBytes
}

extension OPAQUE.Identities {
  /// The identities of a KF1 account.
  static func kf1(_ account: AccountName, _ server: ServerName) -> OPAQUE.Identities {
    OPAQUE.Identities(client: account.bytes, server: server.bytes)
  }
}

/// The OPAQUE context of KF1: it binds the profile into the transcript.
func kf1Context(profile: UInt8) -> [UInt8] {
  Array("KF1-OPAQUE-1".utf8) + [profile]
}
