// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sodium

/// The operator's command line.
@main
struct Program: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vaultd", abstract: "The Journal Vault server: stores journals it cannot read.",
    discussion: """
      With nothing configured it keeps everything in one folder and listens at 127.0.0.1:8484.
      Exit status: 0 done, 1 failed, 64 usage; "check" gives 2 when it found faults.
      """,
    version: VaultdVersion.text,
    subcommands: [Serve.self, Migrate.self, Check.self, Users.self, Invite.self],
    defaultSubcommand: Serve.self)

  static func main() async {
    hardenProcess()
    await main(nil)
  }
}

/// The version of this program.
enum VaultdVersion {
  static let text = "0.1.0"
}
