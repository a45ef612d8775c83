// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import KeyFlow
import VaultProtocol

extension Journal {
  /// When the operator reset this account, as the server claims it: a deletion without certificate,
  /// with a receipt that its pinned key signed (SPEC §9.1).
  ///
  /// That it was signed makes it no more than the server's word; nothing here changes by it.
  ///
  /// - Returns: `nil` where that is not what the server says, or it did not sign it.
  func resetTime(_ deletion: WireDeletion?) throws(JournalError) -> Instant? {
    let state = try state()
    guard let deletion, deletion.certificates.isEmpty, let account = state.account,
      let none = try? DeletionReceipt.certificateHash(of: []),
      let server = try? ServerName(account.serverName)
    else { return nil }
    let wire = deletion.receipt
    var counts = DeletionReceipt.Counts()
    counts.records = wire.records
    counts.revisions = wire.revisions
    counts.commits = wire.commits
    counts.keyrings = wire.keyrings
    counts.sessions = wire.sessions
    counts.bytes = wire.bytes
    guard
      let receipt = try? DeletionReceipt(
        server: server, uid: state.uid.bytes, generation: wire.generation,
        lastSequence: wire.lastSeq, includesAccount: true, counts: counts,
        timeMilliseconds: wire.timeMs, certificateHash: none),
      receipt.isSigned(by: [UInt8](wire.signature), receiptKey: account.receiptKey)
    else { return nil }
    return Instant(milliseconds: Int64(clamping: wire.timeMs))
  }
}

extension StoreTransaction {
  /// After a reset: the account is another one's from now on, so the journal begins as one that no
  /// server knows, under an id of its own.
  func forgetAccount() throws(JournalError) {
    try forgetBases()
    try run("DELETE FROM heads")
    try updateState { $0.pin = nil }
  }
}
