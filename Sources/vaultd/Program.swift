// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
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
    guard hardenProcess() else { stop("the system does not keep this process's memory to itself") }
    let broken = SelfTest.failures().map(\.rawValue)
    guard broken.isEmpty else {
      stop("the cryptographic library gives wrong answers: \(broken.joined(separator: ", "))")
    }
    await main(nil)
  }
}

extension Program {
  /// Ends before anything is begun.
  private static func stop(_ reason: String) -> Never {
    FileHandle.standardError.write(Data("vaultd: error: \(reason)\n".utf8))
    exit(withError: ExitCode.failure)
  }
}

/// The version of this program.
enum VaultdVersion {
  static let text = "0.1.0"
}
