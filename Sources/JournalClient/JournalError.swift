// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
public import VaultProtocol

/// What can go wrong at the SDK's face: one case for each thing that a caller can do something about.
///
/// No case carries a title, a text, a password or a key.
@nonexhaustive
public enum JournalError: Error, Equatable, Sendable {
  /// There is no journal in that folder.
  case noJournal
  /// There is a journal in that folder already.
  case journalExists
  /// The keys are not in memory: unlock first.
  case locked
  /// The password does not open this journal; or its local slot was altered, which looks alike.
  case wrongPassword
  /// No entry has that id, or several begin with it.
  case noEntry
  /// The id, cut short, stands for `count` entries.
  case ambiguous(count: Int)
  /// The record has no such revision on this device.
  case noRevision
  /// The disk is full. What was acknowledged before is safe; this was not saved.
  case diskFull
  /// The local database could not be read or written; `code` is SQLite's or the system's.
  case storage(code: Int)
  /// Another process held the journal for too long.
  case busy
  /// The local database is damaged; what is still readable can be salvaged.
  case damagedStore
  /// These records do not open and are kept in quarantine.
  case damaged(ids: [ObjectID])
  /// The journal was made by a newer version of this program.
  case tooNew
  /// An entry is larger than a blob holds.
  case tooLarge(limit: Int)
  /// What was given cannot be used; says what, never its content.
  case badInput(String)
  /// The system does not have the memory to stretch the password.
  case outOfMemory(kibibytes: Int)
  /// The vault's keys changed since this process unlocked it: unlock again.
  case keysChanged

  // What the network adds.

  /// Encryption is off: there is no account to sync with.
  case encryptionOff
  /// Encryption is on already.
  case encryptionOn
  /// Turning encryption on was interrupted before the account was there: turn it on again.
  case setupUnfinished
  /// Another process, or another task of this one, syncs or changes the account just now.
  case syncing
  /// The server cannot be reached, or its answer was lost; what waits is sent again next time.
  case offline(Unreachable)
  /// The server refused, for this reason.
  case serverProblem(Problem)
  /// What answers there does not speak the contract.
  case notAServer
  /// The server has another name than the one pinned with the account.
  case wrongServer
  /// The password is needed: log in again. Nothing is lost meanwhile.
  case needsPassword(PasswordNeed)
  /// This device still opens by an earlier password, and has to be unlocked with that one first.
  case earlierPasswordNeeded
  /// Whether the server took the new password is not known; both open this device until a login.
  case passwordInDoubt
  /// The account name belongs to somebody else.
  case nameTaken
  /// What the server gave as this account's keys is not ours; nothing was sealed under it.
  case keysRefused
  /// The server shows an older copy of the vault than this device has verified.
  case rolledBack
  /// The server shows another history of the vault than this device has verified.
  case forked
  /// What the server shows of the vault does not add up, and it cannot be told in which entry.
  case incomplete
  /// What the server shows of the vault does not add up, because of these entries.
  case altered(entries: [AlteredEntry])
  /// The server lists these records in the verified vault and does not hand them out.
  case withheld(ids: [ObjectID])
  /// The cloud copy was begun anew elsewhere: the user decides whether this device follows.
  case newGeneration
  /// Other devices deleted many entries within a day: the user decides whether the `count` that are
  /// still shown go here too.
  case confirmationNeeded(count: Int)
  /// The owner deleted the cloud copy, at this time by the deleting device's clock; the certificate
  /// was checked. Everything stays on this device.
  case deleted(at: Instant)
  /// The server says that the cloud copy was deleted, and cannot show that the owner wanted it.
  case untrustedDeletion
  /// The server says, signed, that its operator reset the account at this time: its act, not the
  /// owner's. Everything stays on this device.
  case accountReset(at: Instant)
  /// No wish of this device to start over is pending: somebody logged in, or refused.
  case startOverRefused
  /// The time of this device's wish to start over has not come.
  case startOverNotDue(Instant)
  /// The cloud copy was deleted earlier; this device keeps its journal to itself.
  case cloudDeleted
  /// The server's receipt for the deletion does not hold, or it still shows something.
  case receiptRefused
  /// The recovery kit was not confirmed; nothing went to the server.
  case kitNotConfirmed
  /// What was typed is no recovery code.
  case badCode(RecoveryCodeError)
  /// The server has no account of that name, or another kit is the one that opens it.
  case kitRefused
  /// Whether the server took the new password and kit of a recovery is not known; the same call
  /// again finds out.
  case recoveryInDoubt
  /// Whether the server took a new recovery kit is not known; a rehearsal tells which one opens.
  case kitInDoubt
  /// The task was cancelled.
  case cancelled
}
