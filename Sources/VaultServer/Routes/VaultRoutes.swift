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
    // A wish to start over must be seen, whatever head the client knows.
    if state.startOver == nil, EntityTag.isKnown(state.head.hash, to: call.request) {
      return call.reply(.notModified, tag: tag)
    }
    return try call.reply(WireVaultState(state), tag: tag)
  }

  /// `POST /v1/commits`.
  @Sendable func commit(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    try commits.take(caller.user, now: call.now)
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

  /// `DELETE /v1/vault`: "Delete cloud data"; fresh only, or by a recovery proof.
  ///
  /// Again, it gives the same receipt.
  @Sendable func deleteVault(_ call: Call) async throws -> Response {
    let caller = try callerUnlessProved(call)
    let delete = try await call.message(WireVaultDelete.self, .certificates)
    guard caller != nil || delete.hasRecovery else { throw ProblemResponse(.unauthorized) }
    let certificates = delete.certificates.map { Certificate(epoch: $0.epoch, blob: $0.blob) }
    guard certificates.count <= 1_000,
      let digest = try? DeletionReceipt.certificateHash(of: certificates.map { Array($0.blob) }),
      let hash = CertificateHash(digest)
    else { throw ProblemResponse(.malformed) }
    let request = DeletionRequest(
      generation: delete.generation, head: try EntityTag.required(by: call.request),
      certificates: certificates, certificateHash: hash, withAccount: delete.account)
    let outcome: DeletionOutcome
    if let caller, !delete.hasRecovery {
      outcome = try await store.deleteVault(
        request, caller: caller, freshAfter: freshAfter(call.now), now: call.now,
        receipt: secrets.receipt)
    } else {
      outcome = try await self.delete(call, delete, request)
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
