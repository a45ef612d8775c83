// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import KeyExchange
import Sodium
import SwiftProtobuf
import TestSupport
import VaultProtocol

/// The owner of an account: does a client's part of every exchange, without stretching.
struct Owner: Sendable {
  let name: String
  let uid: [UInt8]
  var password = "correct horse battery staple"
  var epoch: UInt32 = 1
  var generation: UInt32 = 1
  var seq: UInt64 = 1
  var head = blob()
  /// Requests with the newest session.
  var web: Visitor
  var sessionID: UInt64 = 0
  var keyringTag: [UInt8] = []
  /// What the recovery key of the newest kit is made from.
  var recoverySeed = randomBytes(32)

  /// Somebody without an account yet.
  init(_ visitor: Visitor, name: String) {
    web = visitor
    self.name = name
    uid = randomBytes(16)
  }

  /// An account and a session in it.
  static func joined(_ visitor: Visitor, name: String = "alice") async throws -> Owner {
    var owner = Owner(visitor, name: name)
    let created = try await owner.register()
    try require(created.status == 201, created)
    let session = try await owner.logIn()
    try require(session.status == 201, session)
    return owner
  }

  var identities: OPAQUE.Identities {
    .init(client: Array(name.utf8), server: Array(web.serverName.utf8))
  }

  /// A registration record for the present password, by way of `POST /v1/registration`.
  func record(by visitor: Visitor) async throws -> Data {
    let registering = try OPAQUE.Registering(password: SecretBytes(password))
    var start = WireRegistrationStart()
    start.name = name
    start.request = Data(registering.request.bytes)
    let answer = try await visitor.send(.post, Route.registration, start)
    try require(answer.status == 200, answer)
    let response = try answer.message(WireRegistrationAnswer.self).response
    let registered = try registering.finish(
      OPAQUE.RegistrationResponse(bytes: Array(response)), identities: identities,
      stretching: NoStretching())
    return Data(registered.record.bytes)
  }

  /// The body of `POST /v1/accounts`.
  func accountCreate() async throws -> WireAccountCreate {
    var create = WireAccountCreate()
    create.name = name
    create.uid = Data(uid)
    create.registrationRecord = try await record(by: web.stranger)
    create.profile = 2
    create.slots = slots(withKit: true)
    create.generation = generation
    create.epoch = epoch
    create.commit = commit([], base: 0)
    create.commit.head = head
    return create
  }

  func register() async throws -> Answer {
    try await web.stranger.send(.post, Route.accounts, try await accountCreate())
  }

  /// Slots and keyring of random bytes.
  func slots(withKit: Bool) -> WireSlots {
    var slots = WireSlots()
    slots.passwordSlot = blob()
    slots.keyring = blob()
    if withKit {
      slots.recoverySlot = blob()
      slots.recoveryPublicKey = Data(recoveryKey.publicKey)
    }
    return slots
  }

  /// The recovery key of the newest kit.
  var recoveryKey: Ed25519.SigningKey { Ed25519.SigningKey(seed: SecretBytes(recoverySeed)) }

  /// A commit on `base`, or on the head as this owner knows it.
  func commit(_ records: [WireRecord], base: UInt64? = nil) -> WireCommit {
    var commit = WireCommit()
    commit.commitID = Data(randomBytes(16))
    commit.baseSeq = base ?? seq
    commit.generation = generation
    commit.epoch = epoch
    commit.records = records
    commit.head = blob()
    return commit
  }

  /// Sends a commit, and goes on from it when it is accepted.
  @discardableResult
  mutating func push(_ commit: WireCommit) async throws -> Answer {
    let answer = try await web.send(.post, Route.commits, commit)
    if answer.status == 200 {
      seq = try answer.message(WireCommitAccepted.self).seq
      head = commit.head
    }
    return answer
  }

  /// KE1 and its answer; the closure gives KE3's request.
  func beginLogin() async throws -> (WireLoginAnswer, WireSessionCreate, [UInt8]) {
    let loggingIn = try OPAQUE.LoggingIn(password: SecretBytes(password))
    var start = WireLoginStart()
    start.name = name
    start.ke1 = Data(loggingIn.ke1.bytes)
    let answer = try await web.stranger.send(.post, Route.login, start)
    try require(answer.status == 200, answer)
    let login = try answer.message(WireLoginAnswer.self)
    var create = WireSessionCreate()
    create.state = login.state
    let attempt = OPAQUE.LoggingIn.Attempt(
      context: Array("KF1-OPAQUE-1".utf8) + [2], stretching: NoStretching())
    do {
      let done = try loggingIn.finish(
        OPAQUE.KE2(bytes: Array(login.ke2)), identities: identities, attempts: [attempt])
      create.ke3 = Data(done.ke3.bytes)
      return (login, create, done.sessionKey.array())
    } catch {
      // A wrong password shows here already; a client without conscience asks all the same.
      create.ke3 = Data(randomBytes(64))
      return (login, create, [UInt8](repeating: 0, count: 64))
    }
  }

  /// A whole login; ``web`` has the session then.
  @discardableResult
  mutating func logIn() async throws -> Answer {
    let (_, create, key) = try await beginLogin()
    let answer = try await web.stranger.send(.post, Route.sessions, create)
    if answer.status == 201 { try take(answer, key) }
    return answer
  }

  /// Takes up the session in `answer`.
  mutating func take(_ answer: Answer, _ sessionKey: [UInt8]) throws {
    let created = try answer.message(WireSessionCreated.self)
    let token = SessionToken.derive(
      from: SecretBytes(sessionKey), sessionID: created.sessionID)
    let credential = SessionCredential(
      uid: Array(created.uid), sessionID: created.sessionID, token: token.array())
    web.authorization = credential?.authorization
    sessionID = created.sessionID
    keyringTag = Array(created.keyringEtag)
  }

  /// The hash of the head as this owner knows it.
  var headHash: [UInt8] { SHA512.hash32(Array(head).span) }

  /// A deletion of the vault as this owner knows it.
  func deletion(account: Bool = false) -> WireVaultDelete {
    var certificate = WireCertificate()
    certificate.epoch = epoch
    certificate.blob = blob()
    var delete = WireVaultDelete()
    delete.certificates = [certificate]
    delete.generation = generation
    delete.account = account
    return delete
  }
}

/// A sealed blob as a server sees one: bytes.
func blob(_ count: Int = Limits.smallestBlobBytes) -> Data { Data(randomBytes(count)) }

/// A record's revision of random bytes.
func record(
  _ id: [UInt8] = randomBytes(16), revision: UInt64 = 1, bytes: Int = Limits.smallestBlobBytes
) -> WireRecord {
  var record = WireRecord()
  record.recordID = Data(id)
  record.revision = revision
  record.blob = blob(bytes)
  record.blobHash = Data(SHA512.hash32(Array(record.blob).span))
  return record
}

/// An answer that a test's preparation did not expect.
struct Unexpected: Error { let answer: Answer }

func require(_ condition: Bool, _ answer: Answer) throws {
  if !condition { throw Unexpected(answer: answer) }
}

/// Passwords as they are: these tests are not about cost.
struct NoStretching: KeyStretching {
  func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes {
    secret.slice(0..<secret.count)
  }
}
