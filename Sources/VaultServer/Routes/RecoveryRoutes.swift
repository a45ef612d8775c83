// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import KeyExchange
import Sodium
import SwiftProtobuf
import VaultProtocol

/// The way in for the holder of the recovery code (SPEC §5.2): nonce, slot, new credentials.
///
/// What proves it is the recovery key's signature over a nonce of this server, which is good once. A
/// name that there is not takes the same steps, and every failure is the one answer.
extension VaultService {
  /// `POST /v1/recovery`.
  @Sendable func startRecovery(_ call: Call) async throws -> Response {
    let begun = ContinuousClock.now
    let name = try accountName(try await call.message(WireRecoveryStart.self, .fields).name)
    try limiter.count(address: address(call), now: call.now)
    let user = try await user(recovering: name)
    var started = WireRecoveryStarted()
    started.uid = Data(user.bytes)
    started.nonce = Data(RecoveryNonce.make(.open, of: user, now: call.now, secrets).bytes)
    try await EvenTime.wait(since: begun)
    return try call.reply(started)
  }

  /// `POST /v1/recovery/open`.
  ///
  /// The name's OPRF key is used only for who has proved the recovery code.
  @Sendable func openRecovery(_ call: Call) async throws -> Response {
    let open = try await call.message(WireRecoveryOpen.self, .fields)
    let name = try accountName(open.name)
    guard let nonce = Nonce(open.proof.nonce) else { throw ProblemResponse(.malformed) }
    let attempt = LoginLimiter.Attempt.recovery(nonce)
    try limiter.begin(
      attempt, name: secrets.nameKey(of: name), address: address(call), now: call.now,
      ends: call.now + .seconds(Limits.recoverySeconds))
    let user = try await user(recovering: name)
    let use = try use(of: open.proof, .open, by: user, for: open, call)
    let standing = try await store.recovery(use)
    _ = try claim(use, standing, open.proof) { scope in
      .open(scope, element: Array(open.request))
    }
    guard let vault = standing.vault, let keyring = standing.keyring else {
      throw ProblemResponse(.unauthorized)
    }
    var opened = WireRecoveryOpened()
    do {
      opened.response = Data(
        try secrets.exchange.answer(registration: Array(open.request), of: name))
    } catch {
      throw ProblemResponse(.malformed)
    }
    let second = Data(RecoveryNonce.make(.finish, of: user, now: call.now, secrets).bytes)
    guard let first = try await store.useOnce(use, answer: second, now: call.now) else {
      throw ProblemResponse(.unauthorized)
    }
    limiter.giveBack(attempt)
    opened.nonce = first
    opened.recoverySlot = keyring.keys.recovery.slot
    opened.keyring = keyring.keys.keyring
    opened.keyringEtag = Data(keyring.tag.bytes)
    opened.vault = WireVaultState(vault)
    return try call.reply(opened)
  }

  /// `PUT /v1/credentials` by a proof "replace".
  func replace(
    _ call: Call, _ put: WireCredentialsPut, _ credential: Credential, _ change: KeyringChange
  ) async throws -> KeyringOutcome {
    let tag = try EntityTag.required(by: call.request, as: KeyringTag.self)
    let use = try use(of: put.recovery, .finish, by: nil, for: put, call)
    let standing = try await store.recovery(use)
    if case .answered(let answer) = standing.nonce, let outcome = KeyringOutcome(answer: answer) {
      return outcome
    }
    let hash = RecoveryProof.requestHash(
      record: Array(put.registrationRecord), passwordSlot: Array(put.slots.passwordSlot),
      recoverySlot: Array(put.slots.recoverySlot), recoveryKey: Array(put.slots.recoveryPublicKey),
      keyring: Array(put.slots.keyring), head: Array(put.commit.head))
    let claim = try claim(use, standing, put.recovery) { (scope) throws(KeyExchangeError) in
      try .replace(scope, keyringETag: tag.bytes, requestHash: hash)
    }
    return try await store.putCredential(credential, change, proof: claim, now: call.now)
  }

  /// `DELETE /v1/vault` by a proof "delete".
  func delete(
    _ call: Call, _ delete: WireVaultDelete, _ request: DeletionRequest
  ) async throws -> DeletionOutcome {
    let use = try use(of: delete.recovery, .finish, by: nil, for: delete, call)
    let standing = try await store.recovery(use)
    if case .answered(let receipt) = standing.nonce { return .deleted(receipt: receipt) }
    let claim = try claim(use, standing, delete.recovery) { (scope) throws(KeyExchangeError) in
      try .delete(
        scope, generation: request.generation, sequence: delete.seq,
        certificateHash: request.certificateHash.bytes)
    }
    if let vault = standing.vault, vault.head.seq != delete.seq { return .conflict(vault) }
    return try await store.deleteVault(
      request, proof: claim, now: call.now, receipt: secrets.receipt)
  }

  /// Who asks; nothing for somebody without a session whose body may hold a recovery proof.
  ///
  /// - Throws: ``Problem/unauthorized``; ``Problem/tooManyRequests``, so that strangers' bodies stay
  ///   few.
  func callerUnlessProved(_ call: Call) throws(ProblemResponse) -> Caller? {
    let headers = call.request.headers
    guard headers[.authorization] == nil, headers[.contentType] != nil else {
      return try call.caller()
    }
    try limiter.count(address: address(call), now: call.now)
    return nil
  }

  /// The account's id; of a name that there is not, one that is always the same.
  private func user(recovering name: AccountName) async throws -> UserID {
    let account = try await store.account(named: secrets.nameKey(of: name))
    guard let fake = UserID(secrets.exchange.fakeUID(of: name)) else {
      throw ProblemResponse(.internalError)
    }
    return account?.user ?? fake
  }

  /// The use of a nonce that this server made for this step and user, and whose time is not over.
  ///
  /// - Throws: ``Problem/unauthorized``.
  private func use(
    of proof: WireRecoveryProof, _ step: RecoveryNonce.Step, by user: UserID?,
    for message: some Message, _ call: Call
  ) throws(ProblemResponse) -> NonceUse {
    guard let claimed = UserID(proof.uid), claimed == user ?? claimed,
      let nonce = RecoveryNonce(proof.nonce, step, of: claimed, now: call.now, secrets),
      let body: [UInt8] = try? message.serializedBytes()
    else { throw ProblemResponse(.unauthorized) }
    let condition = call.request.headers[.ifMatch] ?? ""
    return NonceUse(
      user: claimed, nonce: nonce.value,
      request: RequestHash(hashing: [
        Data(bigEndian(UInt32(body.count)) + body), Data(condition.utf8),
      ]),
      expiry: nonce.ends)
  }

  /// The claim of who signed what `statement` says, with the recovery key that the vault has.
  ///
  /// Where there is no vault, another key is tried, which signs no such thing: that takes as long.
  ///
  /// - Throws: ``Problem/unauthorized``.
  private func claim(
    _ use: NonceUse, _ standing: RecoveryStanding, _ proof: WireRecoveryProof,
    _ statement: (RecoveryProof.Scope) throws(KeyExchangeError) -> RecoveryProof
  ) throws(ProblemResponse) -> RecoveryClaim {
    let kit = standing.keyring?.keys.recovery
    let key = kit.map { Array($0.publicKey) } ?? secrets.receiptKey.publicKey
    do {
      let scope = try RecoveryProof.Scope(
        server: secrets.exchange.name, uid: use.user.bytes, nonce: use.nonce.bytes)
      let isProved = try statement(scope).isProved(by: Array(proof.signature), recoveryKey: key)
      guard isProved, let kit, standing.nonce != .spent else {
        throw ProblemResponse(.unauthorized)
      }
      return RecoveryClaim(use: use, publicKey: kit.publicKey)
    } catch {
      throw ProblemResponse(.unauthorized)
    }
  }
}
