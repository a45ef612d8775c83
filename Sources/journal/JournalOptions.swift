// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import JournalClient
import KeyFlow
import Posix
import Sodium

/// Which journal, and how it is opened.
struct JournalOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder of the journal.", valueName: "folder"))
  var home: String?

  @OptionGroup
  var password: PasswordOptions

  private var variables: [String: String] { ProcessInfo.processInfo.environment }

  /// Where the journal lies.
  var folder: Home {
    if let home { Home(URL(filePath: home)) } else { Home(environment: variables) }
  }

  /// What holds the keys of this journal between commands.
  var agent: AgentClient {
    AgentClient(home: folder, runtimeFolder: variables["XDG_RUNTIME_DIR"])
  }

  /// The world as the SDK sees it.
  static var environment: JournalClient.Environment {
    JournalClient.Environment(now: { .now }, timeZone: { LocalTime.zoneName })
  }

  /// The journal as it is, locked where encryption is on.
  func open() throws -> Journal {
    let journal = try Journal.open(in: folder, environment: Self.environment)
    journal.keepOpenUntilExit()
    return journal
  }

  /// The journal, made where there is none.
  func openOrCreate() throws -> Journal {
    do {
      return try open()
    } catch JournalError.noJournal {
      let journal = try Journal.create(in: folder, environment: Self.environment)
      journal.keepOpenUntilExit()
      return journal
    }
  }

  /// The journal with its keys: from the agent, else with the password.
  ///
  /// - Throws: ``Complaint`` with exit code 11 where nobody can be asked.
  func unlocked(creating: Bool = false) async throws -> Journal {
    let journal = try creating ? openOrCreate() : open()
    try await unlock(journal)
    return journal
  }

  /// Unlocks `journal` from the agent, else with the password.
  ///
  /// - Throws: As ``unlocked(creating:)``.
  func unlock(_ journal: Journal) async throws {
    if journal.keys.isUnlocked || unlockFromAgent(journal) { return }
    guard password.passwordFile != nil || SecretInput.hasTerminal else {
      throw JournalError.locked
    }
    try await unlock(journal, with: password.existing())
  }

  /// Unlocks `journal` with `password`.
  ///
  /// Where this device's own slot refuses it, the server is asked: the password may have been
  /// changed on another device.
  ///
  /// - Throws: `wrongPassword` where both refuse it, or the server cannot be reached.
  func unlock(_ journal: Journal, with password: borrowing SecretBytes) async throws {
    do {
      try await journal.unlock(password: password)
    } catch JournalError.wrongPassword {
      try await logIn(journal, with: password, or: .wrongPassword)
    } catch JournalError.keysChanged {
      try await logIn(journal, with: password, or: .keysChanged)
    }
  }

  /// Asks the server about a password that this device refused.
  ///
  /// - Throws: `refusal` where the server cannot be reached.
  private func logIn(
    _ journal: Journal, with password: borrowing SecretBytes, or refusal: JournalError
  ) async throws {
    do {
      try await SyncEngine(journal).logIn(password: password)
    } catch JournalError.offline {
      throw refusal
    }
  }

  /// Whether the agent had the key that fits.
  func unlockFromAgent(_ journal: Journal) -> Bool {
    guard let handed = agent.keys() else { return false }
    return handed.withBytes { bytes in
      guard bytes.count == 4 + VaultKey.count else { return false }
      let epoch = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
      guard let key = VaultKey(epoch: epoch, bytes: bytes.extracting(4..<bytes.count)) else {
        return false
      }
      do {
        try journal.unlock(with: key)
        return true
      } catch {
        return false  // The key of another epoch or vault: as good as none.
      }
    }
  }

  /// Hands the journal's key to an agent that keeps it for `idle` after its last use.
  func startAgent(for journal: Journal, idle: Duration) throws {
    let keys = try journal.keys.withCurrentKey { key in
      SecretBytes(count: 4 + VaultKey.count) { out in
        for index in 0..<4 { out[index] = UInt8(truncatingIfNeeded: key.epoch >> (24 - 8 * index)) }
        key.withBytes { for index in $0.indices { out[4 + index] = $0[index] } }
      }
    }
    try agent.start(keys: keys, idle: idle)
  }
}
