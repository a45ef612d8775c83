// SPDX-License-Identifier: Apache-2.0
import Foundation
import VaultProtocol

/// What can be told of a request without looking at the database: the same for every driver.
extension Commit {
  /// The first fault in the commit itself: counts, sizes, numbers, order of revisions, hashes.
  var fault: CommitFault? {
    if revisions.count > Limits.commitRecords { return .tooManyRecords(revisions.count) }
    let bytes = revisions.reduce(0) { $0 + $1.blob.count }
    if bytes > Limits.commitBytes { return .tooManyBytes(bytes) }
    if let fault = headFault(head) { return fault }
    if baseSeq >= UInt64(Int64.max) { return .fieldValue("base_seq") }
    var last: [RecordID: UInt64] = [:]
    for revision in revisions {
      if let fault = revision.fault(after: last[revision.record] ?? 0) { return fault }
      last[revision.record] = revision.number
    }
    return nil
  }
}

extension Revision {
  fileprivate func fault(after last: UInt64) -> CommitFault? {
    guard (Limits.smallestBlobBytes...Limits.blobBytes).contains(blob.count) else {
      return .blobSize(record, bytes: blob.count)
    }
    guard number > last, number <= UInt64(Int64.max) else {
      return .revisionNotGreater(record, stored: last)
    }
    return BlobHash(of: blob) == hash ? nil : .hashMismatch(record)
  }
}

extension NewAccount {
  /// The first fault in the account itself.
  var fault: CommitFault? {
    if generation == 0 { return .fieldValue("generation") }
    return credential.fault ?? keys.fault ?? headFault(head)
  }
}

extension Credential {
  /// The first fault in the credential itself.
  var fault: CommitFault? {
    record.count == 192 ? nil : .fieldSize("registration_record", bytes: record.count)
  }
}

extension KeyMaterial {
  /// The first fault in slots, keyring and public key.
  var fault: CommitFault? {
    slotFault(passwordSlot, "password_slot") ?? recovery.fault ?? keyringFault(keyring)
  }
}

extension RecoveryKit {
  /// The first fault in slot and public key.
  fileprivate var fault: CommitFault? {
    guard publicKey.count == 32 else {
      return .fieldSize("recovery_public_key", bytes: publicKey.count)
    }
    return slotFault(slot, "recovery_slot")
  }
}

extension KeyringChange {
  /// The first fault in the change itself, whatever the vault's state.
  var fault: CommitFault? {
    if let commit {
      if !commit.revisions.isEmpty { return .fieldValue("records") }
      if let fault = commit.fault { return fault }
    }
    switch condition {
    case .unchanged: break
    case .afterDeletion, .newBeginning:
      guard let commit else { return .fieldValue("commit") }
      if commit.baseSeq != 0 { return .fieldValue("base_seq") }
    }
    if case .afterDeletion = condition, recovery == nil { return .fieldValue("recovery_slot") }
    return slotFault(passwordSlot, "password_slot") ?? recovery?.fault ?? keyringFault(keyring)
  }

  /// The key material after the change; nothing where there is no kit, neither new nor kept.
  func keys(keeping present: KeyMaterial?) -> KeyMaterial? {
    guard let kit = recovery ?? present?.recovery else { return nil }
    return KeyMaterial(passwordSlot: passwordSlot, recovery: kit, keyring: keyring)
  }
}

extension DeletionRequest {
  /// The first fault in the request itself.
  var fault: CommitFault? {
    guard (1...1_000).contains(certificates.count) else {
      return .fieldSize("certificates", bytes: certificates.count)
    }
    for certificate in certificates {
      if let fault = slotFault(certificate.blob, "certificate") { return fault }
    }
    return nil
  }
}

/// Heads, slots and certificates fill the smallest bucket; a later suite may need a larger one.
private let smallBlobBytes = Limits.smallestBlobBytes...4_096

private func headFault(_ head: Data) -> CommitFault? { slotFault(head, "head") }

private func slotFault(_ blob: Data, _ field: String) -> CommitFault? {
  smallBlobBytes.contains(blob.count) ? nil : .fieldSize(field, bytes: blob.count)
}

private func keyringFault(_ blob: Data) -> CommitFault? {
  (Limits.smallestBlobBytes...Limits.keyringBytes).contains(blob.count)
    ? nil : .fieldSize("keyring", bytes: blob.count)
}
