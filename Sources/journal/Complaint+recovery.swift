// SPDX-License-Identifier: Apache-2.0
import JournalClient
import KeyFlow

extension Complaint {
  /// The words for what went wrong with a recovery kit.
  init(recovery error: JournalError) {
    switch error {
    case .badCode(.alphabet):
      self.init(
        "there is a character in it that no recovery code has",
        hints: "nothing was changed; a code has digits and letters but U, in nine groups of four",
        status: .wrongPassword)
    case .badCode(.length):
      self.init(
        "a recovery code has nine groups of four characters",
        hints: "nothing was changed; type all of them, with or without hyphens",
        status: .wrongPassword)
    case .badCode(.check):
      self.init(
        "there is a slip in the recovery code: its last group does not fit the others",
        hints: "nothing was changed; compare it with the kit, group by group",
        status: .wrongPassword)
    case .kitRefused:
      self.init(
        "that recovery code opens no account of that name there",
        hints: "nothing was changed; a newer kit may have taken its place, or the name or server "
          + "is another one", status: .wrongPassword)
    case .recoveryInDoubt:
      self.init(
        "it is not known whether the new password and kit hold: the server's answer was lost",
        hints: "keep both kits; the same command again, with the same new password, finds out",
        status: .offline)
    case .kitInDoubt:
      self.init(
        "it is not known whether the new kit holds: the server's answer was lost",
        hints: "keep both kits; \"journal recovery test\" tells which one opens the journal",
        status: .offline)
    case .startOverRefused:
      self.init(
        "no wish of this device to start over is pending",
        hints: "somebody logged in with the present password, or refused; nothing was changed")
    case .startOverNotDue(let time):
      self.init(
        "the time has not come: this device may set the new password from \(time.shown) on",
        hints: "until then it opens this device alone; --refuse takes the wish back")
    default: self.init("unexpected", hints: "this is a mistake in journal; please report it")
    }
  }
}
