// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyExchange
import Sodium
import VaultProtocol

/// Login (OPAQUE), in two requests that any two processes may answer.
extension VaultService {
  /// `POST /v1/login`: KE1 to KE2, for names that there are and names that there are not alike.
  @Sendable func startLogin(_ call: Call) async throws -> Response {
    let begun = ContinuousClock.now
    let start = try await call.message(WireLoginStart.self, .fields)
    let name = try accountName(start.name)
    let key = secrets.nameKey(of: name)
    let session = SessionID(number: number(randomBytes(8)))
    let ends = call.now + .seconds(Limits.loginSeconds)
    try limiter.begin(
      .login(session), name: key, address: address(call), now: call.now, ends: ends)
    let account = try await account(key, .login(session))
    var answer = WireLoginAnswer()
    do {
      let login = try secrets.exchange.answer(
        ke1: Array(start.ke1), of: name, stored: account.flatMap { stored($0) })
      answer.ke2 = Data(login.ke2.bytes)
      answer.state = LoginState.seal(
        ends: ends, session: session, account: account.map { ($0.user, $0.credentialVersion) },
        exchange: login.state, key: secrets.loginStateKey)
    } catch {
      throw ProblemResponse(.malformed)
    }
    try await EvenTime.wait(since: begun)
    return try call.reply(answer)
  }

  /// The account of a name; where the database does not answer, the attempt was none.
  func account(
    _ name: NameKey, _ attempt: LoginLimiter.Attempt
  ) async throws(StoreError) -> Account? {
    do {
      return try await store.account(named: name)
    } catch {
      limiter.giveBack(attempt)
      throw error
    }
  }

  private func stored(_ account: Account) -> KeyExchangeServer.StoredPassword? {
    guard let record = try? OPAQUE.RegistrationRecord(bytes: Array(account.credential.record))
    else { return nil }
    return .init(record: record, profile: account.credential.profile)
  }

  /// `POST /v1/sessions`: KE3 to a session.
  ///
  /// The token is never in the answer: both sides derive it.
  @Sendable func createSession(_ call: Call) async throws -> Response {
    let create = try await call.message(WireSessionCreate.self, .fields)
    let login = try LoginState.open(create.state, key: secrets.loginStateKey)
    guard let caller = caller(proving: create.ke3, login), let account = login.account,
      call.now < login.ends
    else { throw ProblemResponse(.unauthorized) }
    let outcome = try await store.createSession(
      NewSession(caller: caller, credentialVersion: account.credentialVersion), now: call.now)
    if case .stale = outcome { throw ProblemResponse(.unauthorized) }
    limiter.giveBack(.login(login.session))
    var created = WireSessionCreated()
    created.sessionID = login.session.number
    created.uid = Data(account.user.bytes)
    switch outcome {
    case .opened(_, let state, let keyring):
      created.generation = state.generation
      created.epoch = state.epoch
      created.passwordSlot = keyring.keys.passwordSlot
      created.keyring = keyring.keys.keyring
      created.keyringEtag = Data(keyring.tag.bytes)
    case .openedWithoutVault(_, let deletion):
      created.deletion = WireDeletion(deletion)
    case .stale: break
    }
    return try call.reply(created, status: .created)
  }

  /// The session's owner; nothing where KE3 does not prove the password.
  private func caller(proving ke3: Data, _ login: borrowing LoginState) -> Caller? {
    guard let message = try? OPAQUE.KE3(bytes: Array(ke3)),
      let sessionKey = try? login.exchange.finish(message), let account = login.account
    else { return nil }
    let token = SessionToken.derive(from: sessionKey, sessionID: login.session.number)
    return TokenHash(token.withBytes { SessionToken.hash($0) }).map {
      Caller(user: account.user, session: login.session, tokenHash: $0)
    }
  }
}
