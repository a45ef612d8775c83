// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// New slots and keyring, with the head that goes up in the same transaction.
public struct KeyringChange: Equatable, Sendable {
  /// What must hold for the change to be made.
  public var condition: Condition
  /// The new password slot.
  public var passwordSlot: Data
  /// A new recovery kit; nothing keeps the stored one (where a copy is begun after a deletion there
  /// is none to keep).
  public var recovery: RecoveryKit?
  /// The new keyring.
  public var keyring: Data
  /// A commit of no records: id, base, generation, epoch and head.
  ///
  /// With a new credential its epoch may be greater than the vault's, which is a rotation. Only a
  /// routine password change goes without a commit.
  public var commit: Commit?

  /// What a change of the keyring stands on.
  public enum Condition: Equatable, Sendable {
    /// Slots and keyring are still these; the commit stands on the present head.
    case unchanged(KeyringTag)
    /// The vault is deleted, with these certificates: the commit's generation is greater than the
    /// deleted one's, its epoch greater than any before, its base 0, and the kit is new.
    case afterDeletion(CertificateHash)
    /// A new beginning (KEYFLOW.md §7): keyring and head are still these; the commit's generation
    /// is greater than the vault's, its epoch not less, its base 0, and all rows stay, as of seq 1.
    case newBeginning(KeyringTag, head: BlobHash)
  }

  /// A change to be made.
  public init(
    condition: Condition, passwordSlot: Data, recovery: RecoveryKit?, keyring: Data,
    commit: Commit?
  ) {
    self.condition = condition
    self.passwordSlot = passwordSlot
    self.recovery = recovery
    self.keyring = keyring
    self.commit = commit
  }
}

/// The answer to a change of keyring or credential.
public enum KeyringOutcome: Equatable, Sendable {
  /// Stored, by this request or an equal earlier one: the new tag, and the head's seq.
  case stored(KeyringTag, seq: UInt64)
  /// The condition does not hold (412): the present tag and vault.
  case conflict(KeyringTag, VaultState)
  /// The condition does not hold, and the vault is deleted.
  case deleted(Deletion)
  /// It can never be accepted as it is.
  case refused(CommitFault)
}
