// SPDX-License-Identifier: Apache-2.0

/// The exit codes: part of the interface, in `--help`, never renumbered.
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case failed = 1
  case usage = 2
  case noJournal = 10
  case locked = 11
  case wrongPassword = 12
  case offline = 13
  case conflict = 14
  case otherVault = 15
  case damaged = 16
  case cloudDeleted = 17
  case needsPassword = 18

  /// What it means, for the help text.
  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed; the message says why"
    case .usage: "the command line is wrong, or a question could not be asked"
    case .noJournal: "there is no journal in that folder"
    case .locked: "the journal is locked"
    case .wrongPassword: "wrong password"
    case .offline: "the server cannot be reached"
    case .conflict: "another device's change waits for your yes"
    case .otherVault: "the server shows an older or different copy of your vault"
    case .damaged: "something of the journal is damaged; the rest is fine"
    case .cloudDeleted: "the cloud copy was deleted; the journal here is untouched"
    case .needsPassword: "the server wants the password again"
    }
  }

  /// The table for `journal --help`.
  static var table: String {
    let rows = allCases.map { status in
      let number = String(status.rawValue)
      return "  " + number + String(repeating: " ", count: 4 - number.count) + status.meaning
    }
    return "EXIT CODES:\n" + rows.joined(separator: "\n")
  }
}
