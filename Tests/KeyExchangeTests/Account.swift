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

  static func makeServer(_ name: String = "vault.example") throws -> KeyExchangeServer {
    let secrets = OPAQUE.ServerKeys.make()
    let keys = try OPAQUE.ServerKeys(
      oprfSeed: secrets.slice(0..<64), privateKey: secrets.slice(64..<96))
    return KeyExchangeServer(keys: keys, name: try ServerName(name))
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
