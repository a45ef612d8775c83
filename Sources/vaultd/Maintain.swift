// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import VaultProtocol
import VaultServer

/// Brings the database's schema up to date, without serving.
struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring the database's schema up to date; \"serve\" does so too.")

  @OptionGroup var place: Place

  func run() async throws {
    await (try place.store(policy: StorePolicy())).close()
    print("the schema is up to date")
  }
}

/// Looks at everything that is stored.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute every stored hash anew and look at every invariant.",
    discussion: "Exit status 2 when something is wrong. Works while the server runs.")

  @OptionGroup var place: Place

  func run() async throws {
    let store = try await place.store(policy: StorePolicy(), mustExist: true)
    let report: CheckReport
    do throws(StoreError) {
      report = try await store.check()
    } catch {
      throw Failure(error)
    }
    await store.close()
    print(
      """
      vaults    \(report.vaults)
      records   \(report.records)
      revisions \(report.revisions)
      heads     \(report.heads)
      faults    \(report.faults.count)
      """)
    for fault in report.faults {
      print("fault: \(fault.user.map { "user \($0): " } ?? "")\(fault.finding)")
    }
    if !report.faults.isEmpty { throw ExitCode(2) }
  }
}

/// Makes an invitation.
struct Invite: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the invitation that lets NAME make an account, and nobody else.")

  @OptionGroup var place: Place

  @Argument(help: "The account's name: 3 to 64 of a-z 0-9 . _ -")
  var name: String

  func run() throws {
    guard let invitation = try place.serverSecrets(mustExist: true).invitation(forAccount: name)
    else {
      throw ValidationError("an account's name has 3 to 64 of a-z 0-9 . _ -")
    }
    print(invitation)
  }
}
