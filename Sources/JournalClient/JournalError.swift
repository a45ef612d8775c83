// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

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
}
