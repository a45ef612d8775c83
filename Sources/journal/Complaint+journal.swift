// SPDX-License-Identifier: Apache-2.0
import JournalClient

extension Complaint {
  /// The words for what the SDK threw.
  init(_ error: JournalError) {
    switch error {
    case .noJournal:
      self.init(
        "there is no journal in that folder",
        hints: "\"journal write\" begins one; --home or $JOURNAL_HOME name another folder",
        status: .noJournal)
    case .journalExists:
      self.init("there is a journal in that folder already", hints: "nothing was changed")
    case .locked:
      self.init(
        "the journal is locked",
        hints: "\"journal unlock\" asks for the password once; scripts give --password-file FILE",
        status: .locked)
    case .wrongPassword:
      self.init(
        "that password does not open this journal",
        hints: "nothing was changed; capitals count, and so does the keyboard layout",
        status: .wrongPassword)
    case .noEntry:
      self.init("there is no entry with that ID", hints: "\"journal list\" shows what there is")
    case .ambiguous(let count):
      self.init("\(count) entries begin with that ID", hints: "give more of it")
    case .noRevision:
      self.init(
        "the entry has no such revision on this device", hints: "\"journal history\" shows them")
    case .diskFull:
      self.init(
        "the disk is full",
        hints: "this was not saved; everything from before is safe; make room and try again")
    case .storage(let code):
      self.init(
        "the journal's file cannot be read or written (code \(code))",
        hints: "what was saved before is untouched; check the folder's owner, rights and disk")
    case .busy:
      self.init(
        "another program holds the journal", hints: "nothing was changed; try again in a moment")
    case .damagedStore:
      self.init(
        "the journal's file is damaged",
        hints: "a copy on another device or the server is not; keep this folder and join again",
        status: .damaged)
    case .damaged(let ids):
      self.init(
        ids.count == 1
          ? "entry \(ids[0]) is damaged and cannot be opened"
          : "\(ids.count) entries are damaged and cannot be opened",
        hints: "everything else is fine; it is kept as it is and never sent over good data",
        "\"cloud delete\" stops here, for the copy may be the better one; --accept-damage goes on",
        status: .damaged)
    case .tooNew:
      self.init(
        "this journal was written by a newer version of journal",
        hints: "nothing was changed; install the newer version")
    case .tooLarge(let limit):
      self.init("the entry is larger than \(limit) bytes", hints: "it was not saved")
    case .badInput(let what):
      self.init("this cannot be used: \(what)", hints: "nothing was changed")
    case .outOfMemory(let kibibytes):
      self.init(
        "there is not enough memory to check the password (\(kibibytes / 1024) MiB)",
        hints: "nothing was changed; close other programs and try again")
    case .keysChanged:
      self.init(
        "the journal's keys have changed", hints: "\"journal unlock\" again, with the new password",
        status: .locked)
    case .encryptionOff, .encryptionOn, .setupUnfinished, .syncing, .offline, .serverProblem,
      .notAServer,
      .wrongServer, .needsPassword, .earlierPasswordNeeded, .passwordInDoubt, .nameTaken,
      .keysRefused, .rolledBack,
      .forked, .incomplete, .altered, .withheld,
      .newGeneration, .confirmationNeeded, .deleted, .untrustedDeletion, .cloudDeleted,
      .receiptRefused, .kitNotConfirmed, .badCode, .kitRefused, .recoveryInDoubt, .kitInDoubt,
      .accountReset,
      .startOverRefused, .startOverNotDue,
      .cancelled:
      self.init(network: error)
    }
  }
}
