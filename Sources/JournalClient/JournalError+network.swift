// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

/// Why the password is asked for although the keys are here.
public enum PasswordNeed: Equatable, Sendable {
  /// There is no session, or the server ended it.
  case sessionEnded
  /// This needs a login of the last minutes.
  case notFresh
  /// The vault's keys were changed on another device.
  case newEpoch
}

extension JournalError {
  /// What a refused or failed request means to a caller.
  ///
  /// A `gone` is an unproved claim here: whether it is believed depends on its certificate.
  init(_ error: APIError) {
    switch error {
    case .noAnswer(let reason): self = .offline(reason)
    case .garbled: self = .notAServer
    case .cancelled: self = .cancelled
    case .refused(let refusal):
      switch refusal.problem {
      case .unauthorized: self = .needsPassword(.sessionEnded)
      case .notFresh: self = .needsPassword(.notFresh)
      case .nameTaken: self = .nameTaken
      case .gone: self = .untrustedDeletion
      default: self = .serverProblem(refusal.problem)
      }
    }
  }

  /// The named state of a head chain that does not hold.
  init(_ fault: HeadFault) {
    switch fault {
    case .rolledBack: self = .rolledBack
    case .forked: self = .forked
    case .incomplete: self = .incomplete
    case .generation: self = .newGeneration
    }
  }
}
