// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import SwiftProtobuf
import VaultProtocol

extension ServerSecrets {
  /// The receipt, signed, for what was counted in the deleting transaction: a `WireReceipt`.
  @Sendable func receipt(of summary: DeletionSummary) -> Data {
    (try? signedReceipt(of: summary).serializedBytes()) ?? Data()
  }

  private func signedReceipt(of summary: DeletionSummary) throws -> WireReceipt {
    var counts = DeletionReceipt.Counts()
    counts.records = UInt64(clamping: summary.records)
    counts.revisions = UInt64(clamping: summary.revisions)
    counts.commits = UInt64(clamping: summary.commits)
    counts.keyrings = UInt64(clamping: summary.keyrings)
    counts.sessions = UInt64(clamping: summary.sessions)
    counts.bytes = UInt64(clamping: summary.bytes)
    let signed = try DeletionReceipt(
      server: exchange.name, uid: summary.user.bytes, generation: summary.generation,
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
    wire.signature = Data(signed.signed(by: receiptKey))
    return wire
  }
}
