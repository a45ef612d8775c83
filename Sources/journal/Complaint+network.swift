// SPDX-License-Identifier: Apache-2.0
import JournalClient
import VaultProtocol

extension Complaint {
  /// The words for what went wrong between this device and the server.
  init(network error: JournalError) {
    switch error {
    case .encryptionOff:
      self.init(
        "encryption is off: there is no server to talk to",
        hints: "\"journal encryption on\" makes an account, \"journal join\" uses one you have")
    case .encryptionOn:
      self.init("encryption is on already", hints: "\"journal status\" shows where")
    case .setupUnfinished:
      self.init(
        "turning encryption on was interrupted",
        hints: "nothing is lost; the same \"journal encryption on\" goes on from there")
    case .syncing:
      self.init(
        "another journal is syncing just now", hints: "nothing is lost; try again in a moment")
    case .offline(let reason): self.init(unreachable: reason)
    case .serverProblem(let problem):
      self.init("the server says no: \(problem.title)", hints: Self.hint(for: problem))
    case .notAServer:
      self.init(
        "what answers there is no journal server",
        hints: "nothing was changed; check the address", status: .offline)
    case .wrongServer:
      self.init(
        "this is another server than the one of your account",
        hints: "nothing was sent to it; check the address", status: .otherVault)
    case .needsPassword(let need): self.init(passwordNeed: need)
    case .earlierPasswordNeeded:
      self.init(
        "this device still opens by an earlier password",
        hints: "nothing was changed; \"journal unlock\" with that one, then the same command again",
        status: .locked)
    case .passwordInDoubt:
      self.init(
        "it is not known whether the password was changed: the server's answer was lost",
        hints: "both passwords open this device; the same command again finds out", status: .offline
      )
    case .nameTaken:
      self.init(
        "that account name is taken",
        hints:
          "nothing was changed; choose another --user, or \"journal join\" if the account is yours")
    case .keysRefused:
      self.init(
        "the server gave keys that are not this account's",
        hints: "they were not used and nothing was sent under them", status: .otherVault)
    case .rolledBack:
      self.init(
        "the server shows an older copy of your vault than this device has seen",
        hints: Self.otherVaultHint,
        "if its operator brought back a backup, \"journal cloud begin\" brings it up to date",
        status: .otherVault)
    case .forked:
      self.init(
        "the server shows a different copy of your vault than this device has seen",
        hints: Self.otherVaultHint, Self.beginHint, status: .otherVault)
    case .incomplete:
      self.init(
        "what the server shows of your vault does not add up",
        hints: "this device cannot tell in which entry; one that has seen it before may name it",
        Self.otherVaultHint, Self.beginHint, status: .otherVault)
    case .altered(let entries):
      self.init(
        "what the server shows of your vault does not add up: " + Self.words(for: entries),
        hints: Self.otherVaultHint, status: .otherVault)
    case .withheld(let ids):
      self.init(
        "the server does not hand out what it lists: " + Self.list(ids.map { "entry \($0)" }),
        hints: "nothing is lost and the rest is in step; what you changed in it waits here, "
          + "and the next sync asks again", status: .otherVault)
    case .newGeneration:
      self.init(
        "the cloud copy was begun anew on another device",
        hints: "your entries here are safe; \"journal sync --accept-new-copy\" merges the two",
        status: .otherVault)
    case .confirmationNeeded(let count):
      self.init(
        "other devices deleted more than a tenth of your journal; \(count) entries are still here",
        hints: "\"journal sync --accept-deletions\" deletes them here too",
        status: .conflict)
    case .deleted(let time):
      self.init(
        "the cloud copy was deleted by its owner on \(time.shownDay)",
        hints: "the request was proved with your vault's key; every entry stays on this device",
        status: .cloudDeleted)
    case .cloudDeleted:
      self.init(
        "the cloud copy was deleted; this journal lives on this device alone",
        hints: "nothing is lost; \"journal encryption on\" begins a new cloud copy",
        "\"journal sync --accept-new-copy\", on a terminal or with --password-file, merges with one "
          + "that another device began", status: .cloudDeleted)
    case .untrustedDeletion:
      self.init(
        "the server says that the cloud copy was deleted, and cannot prove that you wanted it",
        hints: "this is not believed; nothing was changed, and the next sync tries again",
        status: .otherVault)
    case .accountReset(let time):
      self.init(
        "the server says that its operator reset your account on \(time.shownDay)",
        hints: "it was not proved to be your wish; every entry stays on this device",
        "to begin anew with an invitation: \"journal encryption off\", then \"journal encryption on "
          + "--invitation WORD\"", status: .cloudDeleted)
    case .receiptRefused:
      self.init(
        "the server's receipt for the deletion does not hold",
        hints: "something may be left there; \"journal cloud delete\" asks again")
    case .kitNotConfirmed:
      self.init(
        "the recovery kit was not confirmed",
        hints: "nothing went to the server; the kit that was shown is void")
    case .badCode, .kitRefused, .recoveryInDoubt, .kitInDoubt, .startOverRefused, .startOverNotDue:
      self.init(recovery: error)
    case .cancelled: self = .interrupted
    default: self.init("unexpected", hints: "this is a mistake in journal; please report it")
    }
  }

  private static func words(for entries: [AlteredEntry]) -> String {
    list(
      entries.map { entry in
        switch entry.alteration {
        case .tampered: "entry \(entry.id) was tampered with"
        case .swapped(let other): "entry \(entry.id) was swapped for \(other)"
        case .turnedBack: "entry \(entry.id) was turned back to an older state"
        case .leftOut: "entry \(entry.id) is left out"
        }
      })
  }

  /// The first ten of them.
  private static func list(_ words: [String]) -> String {
    let more = words.count > 10 ? ["and \(words.count - 10) more"] : []
    return (words.prefix(10) + more).joined(separator: "; ")
  }

  private static let beginHint =
    "the server, a faulty program or somebody with a session of yours wrote it; \"journal cloud "
    + "begin\" puts what this device has above it"

  private static let otherVaultHint =
    "nothing on this device was changed by it; compare \"journal status\" between your devices"

  private init(unreachable reason: Unreachable) {
    let what =
      switch reason {
      case .noConnection: "the server cannot be reached"
      case .untrusted: "the server's certificate is not trusted"
      case .timeout: "the server does not answer in time"
      case .cut: "the connection to the server was cut"
      }
    self.init(
      what, hints: "your entries are safe on this device; the next sync goes on from here",
      status: .offline)
  }

  private init(passwordNeed need: PasswordNeed) {
    let what =
      switch need {
      case .sessionEnded: "the server wants the password again"
      case .notFresh: "this needs the password again"
      case .newEpoch: "the journal's keys were changed on another device"
      }
    self.init(
      what,
      hints: "nothing is lost; \"journal sync\" on a terminal asks for it, scripts give "
        + "--password-file FILE", status: .needsPassword)
  }

  private static func hint(for problem: Problem) -> String {
    switch problem {
    case .quotaExceeded: "your entries are safe on this device; ask the operator for more room"
    case .registrationClosed: "nothing was changed; ask the operator for an invitation"
    case .clientTooOld: "nothing was changed; install a newer journal"
    case .tooManyRequests, .unavailable: "your entries are safe on this device; try again later"
    default: "your entries are safe on this device"
    }
  }
}
