// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Sodium

/// The `journal` program: parses, runs, and turns what went wrong into words and an exit code.
@main
struct Program {
  static func main() async {
    umask(0o077)
    guard isSafe() else { exit(ExitStatus.failed.rawValue) }
    exit(await status().rawValue)
  }

  /// Whether this process and its cryptography are as they must be before a key is near.
  private static func isSafe() -> Bool {
    guard hardenProcess() else {
      Terminal.report(
        Complaint(
          "the system does not keep this process's memory to itself", hints: "nothing was done"))
      return false
    }
    let broken = SelfTest.failures()
    guard broken.isEmpty else {
      let names = broken.map(\.rawValue).joined(separator: ", ")
      Terminal.report(
        Complaint(
          "the cryptographic library gives wrong answers: \(names)",
          hints: "nothing was done; install libsodium anew"))
      return false
    }
    return true
  }

  private static func status() async -> ExitStatus {
    do {
      var command = try Root.parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return .done
    } catch  where Root.exitCode(for: error) == .success {
      Terminal.show(Root.fullMessage(for: error))
      return .done
    } catch  where isUsage(error) {
      Terminal.note(Root.fullMessage(for: error))
      return .usage
    } catch {
      let complaint = Complaint(error)
      Terminal.report(complaint)
      return complaint.status
    }
  }

  /// Whether the parser refused the command line.
  private static func isUsage(_ error: any Error) -> Bool {
    Root.exitCode(for: error) == .validationFailure
  }
}

/// The whole command line.
struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal",
    abstract: "A private journal: yours on every device, readable nowhere else.",
    discussion: """
      Everything works without an account, a server or a network. With "journal encryption on" your \
      entries are sealed with a key that only your password opens, and kept in step between your \
      devices by a server that cannot read them.

      The journal lies in one folder: --home, else $JOURNAL_HOME, else ~/.local/share/journal.
      Passwords are asked for on the terminal, or read with --password-file; they are never \
      arguments. Without a terminal nothing waits for an answer. An ID may be cut short while it is \
      unambiguous.

      \(ExitStatus.table)
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "Writing and reading",
        subcommands: [
          WriteCommand.self, ListCommand.self, ShowCommand.self, EditCommand.self,
          DeleteCommand.self, SearchCommand.self, TagsCommand.self, RandomCommand.self,
          HistoryCommand.self, RestoreCommand.self,
        ]),
      CommandGroup(
        name: "Encryption and sync",
        subcommands: [
          EncryptionCommand.self, JoinCommand.self, SyncCommand.self, WatchCommand.self,
          StatusCommand.self,
          LogCommand.self, DevicesCommand.self, CloudCommand.self,
        ]),
      CommandGroup(
        name: "Import and export", subcommands: [ImportCommand.self, ExportCommand.self]),
      CommandGroup(
        name: "Keys",
        subcommands: [
          UnlockCommand.self, LockCommand.self, PasswordCommand.self, KeysCommand.self,
          RecoveryCommand.self,
          AccountCommand.self,
        ]),
      CommandGroup(name: "Other", subcommands: [AgentCommand.self]),
    ])
}
