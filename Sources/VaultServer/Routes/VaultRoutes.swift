// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyExchange
import Sodium
import SwiftProtobuf
import VaultProtocol

/// The vault as a whole: where it stands, commits, and its deletion.
extension VaultService {
  /// `GET /v1/vault`.
  @Sendable func vault(_ call: Call) async throws -> Response {
    let state = try await store.vault(caller: call.caller(), now: call.now)
    let tag = EntityTag.value(state.head.hash)
    if EntityTag.isKnown(state.head.hash, to: call.request) {
      return call.reply(.notModified, tag: tag)
    }
    return try call.reply(WireVaultState(state), tag: tag)
  }

  /// `POST /v1/commits`.
  @Sendable func commit(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let commit = try Commit(try await call.message(WireCommit.self, .commit))
    switch try await store.apply(commit, caller: caller, now: call.now) {
    case .accepted(let seq):
      var accepted = WireCommitAccepted()
      accepted.seq = seq
      return try call.reply(accepted)
    case .conflict(let state): throw ProblemResponse(.conflict, vault: state)
    case .quotaExceeded(let state): throw ProblemResponse(.quotaExceeded, vault: state)
    case .refused(let fault): throw ProblemResponse(fault: fault)
    }
  }

  /// `DELETE /v1/vault`: "Delete cloud data"; fresh only.
  ///
  /// Again, it gives the same receipt.
  @Sendable func deleteVault(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let delete = try await call.message(WireVaultDelete.self, .certificates)
    // Recovery has no route yet, so there is no nonce that a proof could be over.
    guard !delete.hasRecovery else { throw ProblemResponse(.unauthorized) }
    let certificates = delete.certificates.map { Certificate(epoch: $0.epoch, blob: $0.blob) }
    guard certificates.count <= 1_000,
      let digest = try? DeletionReceipt.certificateHash(of: certificates.map { Array($0.blob) }),
      let hash = CertificateHash(digest)
    else { throw ProblemResponse(.malformed) }
    let request = DeletionRequest(
      generation: delete.generation, head: try EntityTag.required(by: call.request),
      certificates: certificates, certificateHash: hash, withAccount: delete.account)
    let outcome = try await store.deleteVault(
      request, caller: caller, freshAfter: freshAfter(call.now), now: call.now
    ) { [secrets] summary in
      (try? receipt(of: summary, secrets).serializedBytes()) ?? Data()
    }
    switch outcome {
    case .deleted(let receipt):
      guard let receipt = try? WireReceipt(serializedBytes: receipt) else {
        throw ProblemResponse(.internalError)
      }
      return try call.reply(receipt)
    case .conflict(let state): throw ProblemResponse(.preconditionFailed, vault: state)
    case .refused(let fault): throw ProblemResponse(fault: fault)
    }
  }
}

/// The receipt, signed, for what was counted in the deleting transaction.
private func receipt(of summary: DeletionSummary, _ secrets: ServerSecrets) throws -> WireReceipt {
  var counts = DeletionReceipt.Counts()
  counts.records = UInt64(clamping: summary.records)
  counts.revisions = UInt64(clamping: summary.revisions)
  counts.commits = UInt64(clamping: summary.commits)
  counts.keyrings = 1
  counts.sessions = UInt64(clamping: summary.sessions)
  counts.bytes = UInt64(clamping: summary.bytes)
  let signed = try DeletionReceipt(
    server: secrets.exchange.name, uid: summary.user.bytes, generation: summary.generation,
    lastSequence: summary.lastSeq, includesAccount: summary.withAccount, counts: counts,
    timeMilliseconds: UInt64(clamping: summary.at.milliseconds),
    certificateHash: summary.certificateHash.bytes)
  var wire = WireReceipt()
  wire.serverName = signed.server.text
  wire.uid = Data(signed.uid)
  wire.generation = signed.generation
  wire.lastSeq = signed.lastSequence
  wire.records = counts.records
  wire.revisions = counts.revisions
  wire.commits = counts.commits
  wire.keyrings = counts.keyrings
  wire.sessions = counts.sessions
  wire.bytes = counts.bytes
  wire.timeMs = signed.timeMilliseconds
  wire.certificateHash = Data(signed.certificateHash)
  wire.account = signed.includesAccount
  wire.signature = Data(signed.signed(by: secrets.receiptKey))
  return wire
}
