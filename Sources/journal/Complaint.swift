// SPDX-License-Identifier: Apache-2.0
import JournalClient
import KeyFlow
import Posix

/// What a person is told when a command did not do what it was asked: what happened, then what it
/// means for the journal and what to do, and the exit code for scripts.
struct Complaint: Error {
  let what: String
  let hints: [String]
  let status: ExitStatus

  init(_ what: String, hints: String..., status: ExitStatus = .failed) {
    self.init(what, hints: hints, status: status)
  }

  /// The same with one more hint.
  func adding(_ hint: String) -> Complaint {
    Complaint(what, hints: hints + [hint], status: status)
  }

  private init(_ what: String, hints: [String], status: ExitStatus) {
    self.what = what
    self.hints = hints
    self.status = status
  }

  static func nobodyToAsk(flag: String) -> Complaint {
    Complaint(
      "there is no terminal to ask on", hints: "give \(flag) instead; nothing was changed",
      status: .usage)
  }

  static let interrupted = Complaint("interrupted", hints: "nothing was changed")
  static let declined = Complaint("not confirmed", hints: "nothing was changed")

  static func usage(_ what: String, hint: String) -> Complaint {
    Complaint(what, hints: hint, status: .usage)
  }

  /// The words for whatever was thrown.
  init(_ error: any Error) {
    switch error {
    case let complaint as Complaint: self = complaint
    case let error as JournalError: self.init(error)
    case let failure as SecretInput.Failure: self.init(failure)
    case let error as SystemError:
      self.init("\(error.call): \(error.reason)", hints: "nothing was changed")
    default:
      self.init(
        "unexpected: \(type(of: error))", hints: "this is a mistake in journal; please report it")
    }
  }

  private init(_ failure: SecretInput.Failure) {
    switch failure {
    case .noTerminal: self = .nobodyToAsk(flag: "--password-file FILE")
    case .interrupted: self = .interrupted
    case .tooLong:
      self.init("a secret has at most \(SecretInput.limit) bytes", hints: "nothing was changed")
    case .system(let error):
      self.init(
        "the file with the secret cannot be read: \(error.reason)", hints: "nothing was changed")
    }
  }
}
