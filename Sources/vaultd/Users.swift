// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import VaultProtocol
import VaultServer

/// What an operator can do about users: count them, and reset one.
struct Users: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List users, or reset the account of one who has lost everything.",
    subcommands: [ListUsers.self, ResetUser.self], defaultSubcommand: ListUsers.self)
}

/// Lists users by their ids, with counts and sizes.
struct ListUsers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List users: ids, counts and sizes. Names and contents are not known to the server.")

  @OptionGroup var place: Place

  func run() async throws {
    let store = try await place.store(policy: StorePolicy(), mustExist: true)
    print("user records bytes history-bytes sessions created")
    var last: UserID?
    do throws(StoreError) {
      while true {
        let page = try await store.users(after: last, limit: 1000, now: .system())
        for user in page {
          let created = Date(timeIntervalSince1970: Double(user.createdAt.milliseconds) / 1000)
          print(
            user.user, user.recordCount, user.bytes, user.historyBytes, user.sessions,
            created.formatted(.iso8601))
        }
        guard let user = page.last?.user else { break }
        last = user
      }
    } catch {
      throw Failure(error)
    }
    await store.close()
  }
}

/// Deletes the account of a name, so that it is free for a new one.
struct ResetUser: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset",
    abstract: "Delete the account called NAME, so that its owner can make a new one.",
    discussion: """
      For who has lost password, recovery kit and every device with a session: nobody can open what is \
      stored then. All of it is deleted. Devices that still hold the journal keep it; they are told \
      that the account was reset by the operator, not by its owner. The new account is another one, \
      with an id of its own, and gets nothing of the old one's.
      Prints an invitation for NAME, for a server that asks for one.
      """)

  @OptionGroup var place: Place

  @Flag(help: "Really: there is no way back.")
  var yes = false

  @Argument(help: "The account's name: 3 to 64 of a-z 0-9 . _ -")
  var name: String

  func run() async throws {
    guard yes else {
      throw ValidationError(
        "this deletes everything of the account \"\(name)\"; if its owner asked you, add --yes")
    }
    let secrets = try place.serverSecrets(mustExist: true)
    guard let invitation = secrets.invitation(forAccount: name) else {
      throw ValidationError("an account's name has 3 to 64 of a-z 0-9 . _ -")
    }
    let store = try await place.store(policy: StorePolicy(), mustExist: true)
    let user: UserID?
    do throws(StoreError) {
      user = try await AccountReset.run(name, store: store, secrets: secrets, now: .system())
      if user != nil { try await store.sweep(now: .system()) }
    } catch {
      throw Failure(error)
    }
    await store.close()
    guard let user else {
      throw Failure("there is no account called \(name) here", "check --data and --database too")
    }
    print("reset user \(user)")
    print("invitation \(invitation)")
  }
}
