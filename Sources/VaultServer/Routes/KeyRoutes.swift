// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import VaultProtocol

/// Slots, keyring and credentials: what opens a vault, sealed by the client.
extension VaultService {
  /// `GET /v1/keyring`.
  @Sendable func keyring(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let (keyring, state) = try await store.keyring(caller: caller, now: call.now)
    let tag = EntityTag.value(keyring.tag)
    if EntityTag.isKnown(keyring.tag, to: call.request) {
      return call.reply(.notModified, tag: tag)
    }
    var wire = WireKeyring()
    wire.slots = WireSlots(keyring.keys)
    wire.generation = state.generation
    wire.epoch = state.epoch
    wire.keyringEtag = Data(keyring.tag.bytes)
    return try call.reply(wire, tag: tag)
  }

  /// `PUT /v1/keyring`; fresh only.
  @Sendable func putKeyring(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    try commits.take(caller.user, now: call.now)
    let put = try await call.message(WireKeyringPut.self, .keys)
    guard put.hasCommit else { throw ProblemResponse(.malformed) }
    let change = try change(
      call, mode: put.mode, slots: put.slots, headHash: put.headHash, commit: put.commit,
      generation: put.generation, epoch: put.epoch)
    let outcome = try await store.putKeyring(
      change, caller: caller, freshAfter: freshAfter(call.now), now: call.now)
    return try reply(call, outcome)
  }

  /// `PUT /v1/credentials`; fresh only, or with a start-over that is due, or by a recovery proof.
  ///
  /// All other sessions end.
  @Sendable func putCredentials(_ call: Call) async throws -> Response {
    let caller = try callerUnlessProved(call)
    if let caller { try commits.take(caller.user, now: call.now) }
    let put = try await call.message(WireCredentialsPut.self, .keys)
    guard caller != nil || put.hasRecovery else { throw ProblemResponse(.unauthorized) }
    guard put.mode != .beginAfterDeletion else { throw ProblemResponse(.malformed) }
    let change = try change(
      call, mode: put.mode, slots: put.slots, headHash: put.headHash,
      commit: put.hasCommit ? put.commit : nil, generation: put.generation, epoch: put.epoch)
    let credential = try credential(record: put.registrationRecord, profile: put.profile)
    guard let caller, !put.hasRecovery else {
      return try reply(call, try await replace(call, put, credential, change))
    }
    let outcome = try await store.putCredential(
      credential, change, caller: caller, freshAfter: freshAfter(call.now), now: call.now)
    return try reply(call, outcome)
  }

  /// - Throws: ``Problem/malformed``.
  private func change(
    _ call: Call, mode: WireKeyringPut.Mode, slots: WireSlots, headHash: Data,
    commit: WireCommit?, generation: UInt32, epoch: UInt32
  ) throws(ProblemResponse) -> KeyringChange {
    let condition: KeyringChange.Condition
    switch mode {
    case .replace: condition = .unchanged(try EntityTag.required(by: call.request))
    case .beginAfterDeletion: condition = .afterDeletion(try EntityTag.required(by: call.request))
    case .newBeginning:
      guard let head = BlobHash(headHash) else { throw ProblemResponse(.malformed) }
      condition = .newBeginning(try EntityTag.required(by: call.request), head: head)
    case .UNRECOGNIZED: throw ProblemResponse(.malformed)
    }
    let commit = try commit.map { (wire) throws(ProblemResponse) in try Commit(wire) }
    guard commit?.revisions.isEmpty ?? true,
      commit.map({ $0.generation == generation && $0.epoch == epoch }) ?? true
    else { throw ProblemResponse(.malformed) }
    return KeyringChange(
      condition: condition, passwordSlot: slots.passwordSlot, recovery: try slots.kit(),
      keyring: slots.keyring, commit: commit)
  }

  /// - Throws: ``Problem/preconditionFailed``, ``Problem/gone``, or what the content deserves.
  private func reply(_ call: Call, _ outcome: KeyringOutcome) throws(ProblemResponse) -> Response {
    switch outcome {
    case .stored(let tag, _): return call.reply(.noContent, tag: EntityTag.value(tag))
    case .conflict(_, let state): throw ProblemResponse(.preconditionFailed, vault: state)
    case .deleted(let deletion): throw ProblemResponse(gone: deletion)
    case .refused(let fault): throw ProblemResponse(fault: fault)
    }
  }
}
