// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyExchange
import Sodium
import SwiftProtobuf
import VaultProtocol

/// Registration: of a new account, or of a new password of one's own.
extension VaultService {
  /// How long a registration may take between its two requests and still give its tokens back.
  private static let registrationTime: Duration = .seconds(600)

  /// `POST /v1/registration`.
  ///
  /// Of a name that there is, only its owner gets an answer: in a fresh session, or in one whose
  /// start-over is due. Where registration is by invitation everyone gets one: there nobody without
  /// an invitation shall learn which names there are.
  @Sendable func startRegistration(_ call: Call) async throws -> Response {
    let start = try await call.message(WireRegistrationStart.self, .fields)
    let name = try accountName(start.name)
    let key = secrets.nameKey(of: name)
    let caller =
      call.request.headers[.authorization] == nil ? nil : try await registeringCaller(call)
    if caller == nil, configuration.registration == .closed {
      throw ProblemResponse(.registrationClosed)
    }
    try limiter.begin(
      .registration(key), name: key, address: address(call), now: call.now,
      ends: call.now + Self.registrationTime)
    let account = try await account(key, .registration(key))
    let isHidden = caller == nil && configuration.registration == .invitation
    guard isHidden || account?.user == caller?.user else { throw ProblemResponse(.nameTaken) }
    var answer = WireRegistrationAnswer()
    do {
      answer.response = Data(
        try secrets.exchange.answer(registration: Array(start.request), of: name))
    } catch {
      throw ProblemResponse(.malformed)
    }
    return try call.reply(answer)
  }

  /// `POST /v1/accounts`.
  @Sendable func createAccount(_ call: Call) async throws -> Response {
    let create = try await call.message(WireAccountCreate.self, .keys)
    let name = try accountName(create.name)
    try limiter.count(address: address(call), now: call.now)
    guard isOpen(to: name, create.invitation) else {
      return try await repeated(call, create, name: name)
    }
    let account = try account(create, name: name)
    switch try await store.createAccount(account, now: call.now) {
    case .created: break
    case .taken: throw ProblemResponse(.nameTaken)
    case .generationUsed(let last):
      var problem = ProblemResponse(.conflict)
      var state = WireVaultState()
      state.generation = last
      problem.vault = state
      throw problem
    case .refused(let fault): throw ProblemResponse(fault: fault)
    }
    limiter.giveBack(.registration(account.nameKey))
    return try created(call, account)
  }

  private func isOpen(to name: AccountName, _ invitation: String) -> Bool {
    switch configuration.registration {
    case .open: true
    case .invitation: secrets.isInvitation(invitation, for: name)
    case .closed: false
    }
  }

  /// The answer to a request that made its account when that was still allowed.
  ///
  /// - Throws: ``Problem/registrationClosed`` for every other.
  private func repeated(
    _ call: Call, _ create: WireAccountCreate, name: AccountName
  ) async throws -> Response {
    guard let account = try? account(create, name: name),
      let known = try await store.account(named: account.nameKey),
      known.user == account.user, known.registrationHash == account.registrationHash
    else { throw ProblemResponse(.registrationClosed) }
    return try created(call, account)
  }

  private func created(_ call: Call, _ account: NewAccount) throws(ProblemResponse) -> Response {
    var state = WireVaultState()
    state.generation = account.generation
    state.epoch = account.epoch
    state.seq = 1
    state.head = account.head
    state.quotaBytes = UInt64(clamping: configuration.policy.quotaBytes)
    state.quotaRecords = UInt64(clamping: configuration.policy.quotaRecords)
    var created = WireAccountCreated()
    created.vault = state
    return try call.reply(created, status: .created)
  }

  /// - Throws: ``Problem/malformed``.
  private func account(
    _ create: WireAccountCreate, name: AccountName
  ) throws(ProblemResponse) -> NewAccount {
    let commit = try Commit(create.commit)
    guard let user = UserID(create.uid), let kit = try create.slots.kit(),
      let body: [UInt8] = try? create.serializedBytes(),
      let hash = RequestHash(SHA512.hash32(body.span)),
      commit.baseSeq == 0, commit.revisions.isEmpty, commit.generation == create.generation,
      commit.epoch == create.epoch
    else { throw ProblemResponse(.malformed) }
    return NewAccount(
      user: user, nameKey: secrets.nameKey(of: name), registrationHash: hash,
      credential: try credential(record: create.registrationRecord, profile: create.profile),
      keys: KeyMaterial(
        passwordSlot: create.slots.passwordSlot, recovery: kit, keyring: create.slots.keyring),
      generation: create.generation, epoch: create.epoch, commitID: commit.id, head: commit.head)
  }

  /// A record that OPAQUE can work with, under a profile of the table.
  ///
  /// - Throws: ``Problem/malformed``.
  func credential(record: Data, profile: UInt32) throws(ProblemResponse) -> Credential {
    guard (try? OPAQUE.RegistrationRecord(bytes: Array(record))) != nil,
      let profile = UInt8(exactly: profile), Profile(id: profile) != nil
    else { throw ProblemResponse(.malformed) }
    return Credential(secretsVersion: ServerSecrets.version, profile: profile, record: record)
  }

  /// - Throws: ``Problem/malformed``.
  func accountName(_ text: String) throws(ProblemResponse) -> AccountName {
    guard let name = try? AccountName(text) else { throw ProblemResponse(.malformed) }
    return name
  }

  /// The client's address for rate limits.
  func address(_ call: Call) -> String {
    call.context.address(of: call.request, behindProxy: configuration.isBehindProxy)
  }

  /// Sessions made before this are not fresh.
  func freshAfter(_ now: Timestamp) -> Timestamp {
    now - .seconds(Limits.freshSeconds)
  }
}
