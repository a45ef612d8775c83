// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport

/// One account at one server, with a table of profiles that costs next to nothing.
struct Account {
  /// Stands for the compiled-in table: same ids and order, tiny costs.
  static let profiles = [
    Profile(id: 2, cost: Argon2id(passes: 1, memoryKiB: 16)),
    Profile(id: 1, cost: Argon2id(passes: 1, memoryKiB: 8)),
    Profile(id: 3, cost: Argon2id(passes: 2, memoryKiB: 16)),
  ]

  let server: KeyExchangeServer
  let name: AccountName
  let stored: KeyExchangeServer.StoredPassword
  let record: OPAQUE.RegistrationRecord
  let exportKey: [UInt8]

  /// Registers.
  init(
    _ name: String = "samuel", password: String = "correct horse", profile id: UInt8 = 2,
    server: KeyExchangeServer? = nil
  ) throws {
    let server = try server ?? Self.makeServer()
    self.server = server
    self.name = try AccountName(name)
    let credentials = try Credentials(
      account: self.name, server: server.name, newPassword: SecretBytes(password))
    let registration = try ClientRegistration(credentials)
    let response = try server.answer(registration: registration.request, of: self.name)
    let registered = try registration.finish(
      response, profile: Self.profile(id), serverKey: server.publicKey)
    record = registered.record
    stored = .init(record: record, profile: id)
    exportKey = registered.exportKey.array()
  }

  static func profile(_ id: UInt8) -> Profile {
    profiles.first { $0.id == id } ?? Profile(id: id, cost: profiles[0].cost)
  }

  static func makeServer() throws -> KeyExchangeServer {
    try server(oprfSeed: SecretBytes.random(count: 64).array())
  }

  /// A server with this seed and a new private key.
  static func server(oprfSeed: [UInt8]) throws -> KeyExchangeServer {
    let privateKey = OPAQUE.ServerKeys.make().slice(64..<96)
    let keys = try OPAQUE.ServerKeys(oprfSeed: SecretBytes(oprfSeed), privateKey: privateKey)
    return KeyExchangeServer(keys: keys, name: try ServerName("vault.example"))
  }

  /// A client that has begun to log in.
  func login(password: String = "correct horse") throws -> ClientLogin {
    try ClientLogin(
      Credentials(account: name, server: server.name, password: SecretBytes(password)))
  }

  /// The server's KE2 for this client, from this record.
  func ke2(
    for login: borrowing ClientLogin, stored: KeyExchangeServer.StoredPassword? = nil
  ) throws -> [UInt8] {
    try server.answer(ke1: login.ke1, of: name, stored: stored ?? self.stored).ke2.bytes
  }
}
