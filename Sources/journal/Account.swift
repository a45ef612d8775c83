// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import Posix
import Sodium

/// Where an account lives.
struct AccountOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The server: https://…; http:// on this machine alone.", valueName: "url"),
    transform: ServerAddress.parse)
  var server: ServerAddress

  @Option(help: "The account's name: 3 to 64 of a-z 0-9 . _ -")
  var user: String

  var wish: AccountWish { AccountWish(server: server, name: user) }
}

extension ServerAddress {
  /// The server in an option's value.
  static func parse(_ typed: String) throws -> ServerAddress {
    guard let address = ServerAddress(typed) else {
      throw ValidationError(
        "'\(typed)' is no address of a server; write https://host, or http://127.0.0.1:8484 for one on this machine"
      )
    }
    return address
  }
}

extension ProgressOptions {
  /// What the SDK tells of its progress, shown.
  func options() -> SyncOptions {
    let line = PhaseLine(hidden: noProgress)
    var options = SyncOptions()
    options.progress = { line.show($0) }
    return options
  }
}

extension SyncProgress.Phase {
  /// The words for it.
  var words: String {
    switch self {
    case .unlocking: "checking the password"
    case .sealing: "sealing"
    case .verifying: "verifying"
    case .receiving: "receiving"
    case .sending: "sending"
    case .resealing: "sealing anew under the new key"
    case .cleaning: "cleaning up"
    }
  }
}

extension JournalOptions {
  /// Does what needs the server; where it wants the password again, asks in place and goes on.
  ///
  /// - Throws: `needsPassword` where nobody can be asked.
  func withServer<R>(
    _ journal: Journal, _ options: SyncOptions,
    _ work: (SyncEngine, SyncOptions) async throws -> R
  ) async throws -> R {
    let engine = SyncEngine(journal)
    do {
      return try await work(engine, options)
    } catch let error as JournalError {
      guard canAsk else { throw error }
      switch error {
      case .needsPassword: Terminal.note("the server wants the password again")
      case .cloudDeleted:
        Terminal.note("the cloud copy was deleted; asking the server whether there is a new one")
      default: throw error
      }
    }
    try await engine.logIn(password: password.existing(), options: options)
    try refreshAgent(for: journal)
    return try await work(engine, options)
  }

  /// Whether there is anyone or any file to give a password.
  var canAsk: Bool { password.passwordFile != nil || SecretInput.hasTerminal }

  /// Gives an agent that runs the key of now, for as long as it had left.
  func refreshAgent(for journal: Journal) throws {
    guard let left = agent.secondsLeft() else { return }
    try startAgent(for: journal, idle: .seconds(max(left, 60)))
  }
}
