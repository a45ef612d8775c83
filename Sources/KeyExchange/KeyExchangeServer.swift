// SPDX-License-Identifier: Apache-2.0
internal import Sodium

/// KF1's key exchange, on the server; holds the server's secrets and no state of any login.
public final class KeyExchangeServer: Sendable {
  private let keys: OPAQUE.ServerKeys

  /// The server's name.
  public let name: ServerName

  /// A server of these secrets and this name, both fixed at its first start.
  public init(keys: consuming OPAQUE.ServerKeys, name: ServerName) {
    self.keys = keys
    self.name = name
  }

  /// The server's OPAQUE key, 32 bytes, for clients to pin.
  public var publicKey: [UInt8] { keys.publicKey.bytes }

  /// The answer to a registration request: 64 bytes for 32.
  ///
  /// It is an OPRF evaluation for a name and draws on that name's rate bucket.
  ///
  /// - Throws: ``KeyExchangeError/malformed``.
  public func answer(
    registration request: [UInt8], of account: AccountName
  ) throws(KeyExchangeError) -> [UInt8] {
    let request = try OPAQUE.RegistrationRequest(bytes: request)
    let identifier = account.credentialIdentifier
    return keys.respond(to: request, credentialIdentifier: identifier).bytes
  }

  /// What the server keeps of an account's password.
  public struct StoredPassword: Sendable {
    let record: OPAQUE.RegistrationRecord
    let profile: UInt8

    /// A registration record and the profile that the client named with it.
    public init(record: OPAQUE.RegistrationRecord, profile: UInt8) {
      self.record = record
      self.profile = profile
    }
  }

  /// The answer to a KE1 (320 bytes for 96), and what to remember for the KE3.
  ///
  /// A name without an account (`nil`) gets the answer of a fake record, by the same work: the
  /// fake record is made every time.
  ///
  /// - Throws: ``KeyExchangeError/malformed``.
  public func answer(
    ke1: [UInt8], of account: AccountName, stored: StoredPassword?
  ) throws(KeyExchangeError) -> OPAQUE.LoginAnswer {
    let ke1 = try OPAQUE.KE1(bytes: ke1)
    let identifier = account.credentialIdentifier
    let fake = StoredPassword(record: fakeRecord(identifier), profile: Profile.two.id)
    let password = stored ?? fake
    return keys.respond(
      to: ke1, record: password.record, credentialIdentifier: identifier,
      identities: .kf1(account, name), context: kf1Context(profile: password.profile))
  }

  /// The user id that a recovery of an unknown name is answered with, 16 bytes, always the same.
  public func fakeUID(of account: AccountName) -> [UInt8] {
    let message = Array("KF1-fake-uid".utf8) + account.credentialIdentifier
    return Array(keys.pseudorandom(message).prefix(16))
  }

  /// The record of a name without an account: constant per name; an envelope of zeros never opens.
  package func fakeRecord(_ identifier: [UInt8]) -> OPAQUE.RegistrationRecord {
    let seed = keys.pseudorandom(Array("KF1-fake-key".utf8) + identifier)
    return OPAQUE.RegistrationRecord.fake(
      keySeed: Array(seed.prefix(OPAQUE.nonceBytes)),
      maskingKey: keys.pseudorandom(Array("KF1-fake-mask".utf8) + identifier))
  }
}
