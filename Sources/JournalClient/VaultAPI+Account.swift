// SPDX-License-Identifier: Apache-2.0
import Foundation
import VaultProtocol

extension VaultAPI {
  /// Names, keys and limits of the server.
  func server() async throws(APIError) -> WireServerInfo {
    try await message(Request("GET", Route.server))
  }

  /// OPAQUE registration's first step: of a new account, or of a new password in a fresh session.
  func startRegistration(name: String, request: [UInt8]) async throws(APIError) -> [UInt8] {
    var body = WireRegistrationStart()
    body.name = name
    body.request = Data(request)
    let answer: WireRegistrationAnswer = try await message(
      Request("POST", Route.registration, body: Self.encode(body)))
    return Array(answer.response)
  }

  /// Creates an account; `body` is a stored ``WireAccountCreate``, sent byte for byte.
  func createAccount(_ body: [UInt8]) async throws(APIError) -> WireAccountCreated {
    try await message(Request("POST", Route.accounts, body: body))
  }

  /// OPAQUE login's first step.
  func startLogin(name: String, ke1: [UInt8]) async throws(APIError) -> WireLoginAnswer {
    var body = WireLoginStart()
    body.name = name
    body.ke1 = Data(ke1)
    return try await message(Request("POST", Route.login, body: Self.encode(body)))
  }

  /// OPAQUE login's second step.
  func createSession(state: Data, ke3: [UInt8]) async throws(APIError) -> WireSessionCreated {
    var body = WireSessionCreate()
    body.state = state
    body.ke3 = Data(ke3)
    var request = Request("POST", Route.sessions, body: Self.encode(body))
    request.largest = 2 << 20
    return try await message(request)
  }

  /// The account's sessions.
  func sessions() async throws(APIError) -> [WireSession] {
    var request = Request("GET", Route.sessions)
    request.largest = 8 << 20
    let list: WireSessionList = try await message(request)
    return list.sessions
  }

  /// Ends a session, this one or another.
  func endSession(_ id: UInt64) async throws(APIError) {
    _ = try await send(Request("DELETE", "\(Route.sessions)/\(id)"))
  }

  /// Sets a session's sealed label.
  func setLabel(_ label: [UInt8], of id: UInt64) async throws(APIError) {
    var body = WireSessionLabel()
    body.label = Data(label)
    _ = try await send(Request("PUT", "\(Route.sessions)/\(id)/label", body: Self.encode(body)))
  }

  /// Slots and keyring.
  func keyring() async throws(APIError) -> WireKeyring {
    var request = Request("GET", Route.keyring)
    request.largest = 256 << 10
    return try await message(request)
  }

  /// Replaces slots and keyring on condition of `tag`; `body` is a ``WireKeyringPut``.
  func putKeyring(_ body: [UInt8], tag: [UInt8]) async throws(APIError) {
    var request = Request("PUT", Route.keyring, body: body)
    request.ifMatch = tag
    _ = try await send(request)
  }

  /// Replaces password record and slots on condition of `tag`; `body` is a ``WireCredentialsPut``.
  func putCredentials(_ body: [UInt8], tag: [UInt8]) async throws(APIError) {
    var request = Request("PUT", Route.credentials, body: body)
    request.ifMatch = tag
    _ = try await send(request)
  }
}
