// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport

/// Clients between two messages, and servers; each known by its number.
final class Parties {
  private var held: [Any] = []

  /// What `request` gives, by name, in hexadecimal.
  ///
  /// - Throws: What the library throws: `KeyExchangeError` or `CredentialError`.
  func answer(_ request: Request) throws -> [String: String] {
    switch request {
    case .register(let password):
      let registering = try OPAQUE.Registering(password: SecretBytes(password.bytes))
      let bytes = registering.request.bytes
      return hold(registering, ["request": bytes])
    case .registered(let state, let response, let setting):
      let registering: Held<OPAQUE.Registering> = party(state)
      let done = try registering.value.finish(
        OPAQUE.RegistrationResponse(bytes: response.bytes), identities: setting.identities,
        stretching: setting.stretching)
      return show(done)
    case .login(let password):
      let loggingIn = try OPAQUE.LoggingIn(password: SecretBytes(password.bytes))
      let bytes = loggingIn.ke1.bytes
      return hold(loggingIn, ["ke1": bytes])
    case .loggedIn(let state, let ke2, let setting):
      let loggingIn: Held<OPAQUE.LoggingIn> = party(state)
      let attempt = OPAQUE.LoggingIn.Attempt(
        context: setting.context.bytes, stretching: setting.stretching)
      let done = try loggingIn.value.finish(
        OPAQUE.KE2(bytes: ke2.bytes), identities: setting.identities, attempts: [attempt])
      return [
        "ke3": done.ke3.bytes.hex, "sessionKey": done.sessionKey.array().hex,
        "exportKey": done.exportKey.array().hex, "serverKey": done.serverPublicKey.bytes.hex,
      ]
    case .serve(let keys):
      let server = try serverKeys(keys)
      let bytes = server.publicKey.bytes
      return hold(server, ["publicKey": bytes])
    case .respond(let state, let request, let identifier):
      let server: Held<OPAQUE.ServerKeys> = party(state)
      let response = try server.value.respond(
        to: OPAQUE.RegistrationRequest(bytes: request.bytes),
        credentialIdentifier: identifier.bytes)
      return ["response": response.bytes.hex]
    case .answer(let state, let ke1, let record, let identifier, let setting):
      let server: Held<OPAQUE.ServerKeys> = party(state)
      let answer = try server.value.respond(
        to: OPAQUE.KE1(bytes: ke1.bytes), record: OPAQUE.RegistrationRecord(bytes: record.bytes),
        credentialIdentifier: identifier.bytes, identities: setting.identities,
        context: setting.context.bytes)
      return show(answer)
    case .confirm(let login, let ke3):
      let bytes = login.bytes
      let key = try OPAQUE.LoginState(bytes: bytes.span).finish(OPAQUE.KE3(bytes: ke3.bytes))
      return ["sessionKey": key.array().hex]
    default: return try answerKF1(request)
    }
  }

  private func answerKF1(_ request: Request) throws -> [String: String] {
    switch request {
    case .registerKF1(let person):
      let registration = try ClientRegistration(person.credentials())
      let bytes = registration.request
      return hold(registration, ["request": bytes])
    case .registeredKF1(let state, let response, let profile, let serverKey):
      let registration: Held<ClientRegistration> = party(state)
      let done = try registration.value.finish(
        response.bytes, profile: self.profile(profile), serverKey: serverKey?.bytes)
      return show(done)
    case .loginKF1(let person):
      let login = try ClientLogin(person.credentials())
      let bytes = login.ke1
      return hold(login, ["ke1": bytes])
    case .loggedInKF1(let state, let ke2, let profiles):
      let login: Held<ClientLogin> = party(state)
      let done = try login.value.finish(ke2.bytes, trying: profiles.map(profile))
      return [
        "ke3": done.ke3.hex, "sessionKey": done.sessionKey.array().hex,
        "exportKey": done.exportKey.array().hex, "serverKey": done.serverKey.hex,
        "profile": "\(done.profile.id)",
      ]
    case .serveKF1(let keys, let name):
      let server = KeyExchangeServer(keys: try serverKeys(keys), name: try ServerName(name))
      return hold(server, ["publicKey": server.publicKey])
    case .respondKF1(let state, let request, let account):
      let server: Held<KeyExchangeServer> = party(state)
      let response = try server.value.answer(registration: request.bytes, of: AccountName(account))
      return ["response": response.hex]
    case .answerKF1(let state, let ke1, let account, let record, let profile):
      let server: Held<KeyExchangeServer> = party(state)
      let stored = try record.map {
        KeyExchangeServer.StoredPassword(
          record: try OPAQUE.RegistrationRecord(bytes: $0.bytes), profile: profile)
      }
      return show(try server.value.answer(ke1: ke1.bytes, of: AccountName(account), stored: stored))
    default: fatalError("OPAQUEHelper: no answer for this request")
    }
  }

  private func show(_ done: borrowing OPAQUE.Registered) -> [String: String] {
    [
      "record": done.record.bytes.hex, "exportKey": done.exportKey.array().hex,
      "serverKey": done.serverPublicKey.bytes.hex,
    ]
  }

  private func show(_ answer: borrowing OPAQUE.LoginAnswer) -> [String: String] {
    let kept = answer.state.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    return ["ke2": answer.ke2.bytes.hex, "login": kept.hex]
  }

  private func serverKeys(_ keys: Hex) throws -> OPAQUE.ServerKeys {
    try OPAQUE.ServerKeys(
      oprfSeed: SecretBytes(Array(keys.bytes.prefix(OPAQUE.ServerKeys.seedBytes))),
      privateKey: SecretBytes(Array(keys.bytes.dropFirst(OPAQUE.ServerKeys.seedBytes))))
  }

  private func profile(_ id: UInt8) -> Profile {
    guard let profile = Profile(id: id) else { fatalError("OPAQUEHelper: no profile \(id)") }
    return profile
  }

  /// Keeps `party` and shows `made`, with the number under which it is to be had again.
  private func hold<Party: ~Copyable>(
    _ party: consuming Party, _ made: [String: [UInt8]]
  ) -> [String: String] {
    held.append(Held(party))
    return made.mapValues(\.hex).merging(["state": "\(held.count - 1)"]) { $1 }
  }

  private func party<Party>(_ number: Int) -> Party {
    guard held.indices.contains(number), let party = held[number] as? Party else {
      fatalError("OPAQUEHelper: \(number) is no \(Party.self)")
    }
    return party
  }
}

/// What cannot be copied, where only what can be copied may lie.
final class Held<Value: ~Copyable> {
  let value: Value

  init(_ value: consuming Value) { self.value = value }
}
