// SPDX-License-Identifier: Apache-2.0
import Foundation
import SwiftProtobuf
import VaultProtocol

// The store's values in the words of the wire, and back.

extension WireVaultState {
  /// Where a vault stands.
  init(_ state: VaultState, withHead: Bool = true) {
    self.init()
    generation = state.generation
    epoch = state.epoch
    seq = state.head.seq
    if withHead { head = state.head.blob }
    records = UInt64(clamping: state.recordCount)
    bytesUsed = UInt64(clamping: state.bytes)
    quotaBytes = UInt64(clamping: state.quotaBytes)
    quotaRecords = UInt64(clamping: state.quotaRecords)
    if let wish = state.startOver { startOver = WireStartOver(wish) }
  }
}

extension WireStartOver {
  /// A wish to start over.
  init(_ wish: StartOver) {
    self.init()
    sessionID = wish.session.number
    requestedMs = wish.requestedAt.milliseconds
    dueMs = wish.dueAt.milliseconds
  }
}

extension WireDeletion {
  /// What is left of a deleted cloud copy.
  init(_ deletion: Deletion) {
    self.init()
    generation = deletion.generation
    certificates = deletion.certificates.map { certificate in
      var wire = WireCertificate()
      wire.epoch = certificate.epoch
      wire.blob = certificate.blob
      return wire
    }
    // The receipt is stored as this server wrote it.
    if let stored = try? WireReceipt(serializedBytes: deletion.receipt) { receipt = stored }
  }
}

extension WireRecord {
  /// One revision of a record.
  init(_ revision: Revision) {
    self.init()
    recordID = Data(revision.record.bytes)
    self.revision = revision.number
    blob = revision.blob
    blobHash = Data(revision.hash.bytes)
  }
}

extension WireSlots {
  /// Slots, keyring and recovery key.
  init(_ keys: KeyMaterial) {
    self.init()
    passwordSlot = keys.passwordSlot
    recoverySlot = keys.recovery.slot
    recoveryPublicKey = keys.recovery.publicKey
    keyring = keys.keyring
  }

  /// The recovery kit, where the message names one.
  ///
  /// - Throws: ``Problem/malformed`` for a slot without its key, or a key without its slot.
  func kit() throws(ProblemResponse) -> RecoveryKit? {
    guard recoverySlot.isEmpty == recoveryPublicKey.isEmpty else {
      throw ProblemResponse(.malformed)
    }
    return recoverySlot.isEmpty
      ? nil : RecoveryKit(slot: recoverySlot, publicKey: recoveryPublicKey)
  }
}

extension Commit {
  /// The commit in `wire`.
  ///
  /// - Throws: ``Problem/malformed`` for an id or hash of another length.
  init(_ wire: WireCommit) throws(ProblemResponse) {
    guard wire.records.count <= Limits.commitRecords else { throw ProblemResponse(.tooLarge) }
    guard let id = CommitID(wire.commitID) else { throw ProblemResponse(.malformed) }
    var revisions: [Revision] = []
    revisions.reserveCapacity(wire.records.count)
    for record in wire.records {
      guard let id = RecordID(record.recordID), let hash = BlobHash(record.blobHash) else {
        throw ProblemResponse(.malformed)
      }
      revisions.append(Revision(record: id, number: record.revision, blob: record.blob, hash: hash))
    }
    self.init(
      id: id, baseSeq: wire.baseSeq, generation: wire.generation, epoch: wire.epoch,
      revisions: revisions, head: wire.head)
  }
}
