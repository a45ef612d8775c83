// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport

/// One line of stdin: `{"register": {"password": "7077"}}`.
///
/// `state` is the number that an earlier answer gave.
enum Request: Decodable {
  // OPAQUE with everything an argument.
  case register(password: Hex)
  case registered(state: Int, response: Hex, setting: Setting)
  case login(password: Hex)
  case loggedIn(state: Int, ke2: Hex, setting: Setting)
  case serve(keys: Hex)
  case respond(state: Int, request: Hex, identifier: Hex)
  case answer(state: Int, ke1: Hex, record: Hex, identifier: Hex, setting: Setting)
  // Either server's last step; `login` is what the answer to KE1 gave to be kept.
  case confirm(login: Hex, ke3: Hex)

  // The KF1 profile, as programs call it.
  case registerKF1(person: Person)
  case registeredKF1(state: Int, response: Hex, profile: UInt8, serverKey: Hex?)
  case loginKF1(person: Person)
  case loggedInKF1(state: Int, ke2: Hex, profiles: [UInt8])
  case serveKF1(keys: Hex, name: String)
  case respondKF1(state: Int, request: Hex, account: String)
  case answerKF1(state: Int, ke1: Hex, account: String, record: Hex?, profile: UInt8)
}

/// What both sides must agree on before a byte is sent.
struct Setting: Decodable {
  let context: Hex
  let client, server: Hex?
  let passes, memoryKiB: Int

  var identities: OPAQUE.Identities { .init(client: client?.bytes, server: server?.bytes) }

  var stretching: Profile {
    Profile(id: 0, cost: Argon2id(passes: passes, memoryKiB: memoryKiB))
  }
}

/// Who logs in where, as typed.
struct Person: Decodable {
  let account, server: String
  let password: Hex
  let code: String?

  func credentials() throws -> Credentials {
    let account = try AccountName(account)
    let server = try ServerName(server)
    let password = SecretBytes(password.bytes)
    guard let code else {
      return try Credentials(account: account, server: server, password: password)
    }
    return try Credentials(
      account: account, server: server, password: password,
      code: AccountCode(typed: SecretBytes(code)))
  }
}
