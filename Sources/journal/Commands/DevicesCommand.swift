// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow

/// `journal devices`.
struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "The devices that use the account.",
    subcommands: [List.self, Revoke.self], defaultSubcommand: List.self)

  /// `journal devices list`.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List them.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      let devices = try await SyncEngine(opened).devices(password: password)
      if output.json { return try Terminal.show(json: DevicesShape(devices)) }
      Terminal.show(lines: devices.map(\.line))
    }
  }

  /// `journal devices revoke`.
  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a device's access to the server.",
      discussion: """
        What that device holds already it can still read, and with the password it can log in \
        again: change the password too.
        """)

    @Argument(help: "Its session's number, from \"journal devices\".")
    var session: UInt64

    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      try await SyncEngine(opened).endSession(session, password: password)
      Terminal.note("its session is ended; it can still read what it holds")
    }
  }
}

extension AccountDevice {
  /// One line of the list.
  var line: String {
    let name = label?.name ?? "(no name)"
    return "\(session)  \(name)  since \(since.shownDay), last used \(lastUsed.shown)"
      + (isThis ? "  this device" : "")
  }
}

/// `journal devices --json`.
struct DevicesShape: Encodable {
  let devices: [Device]

  struct Device: Encodable {
    let session: String
    let name: String?
    let isThis: Bool
    let since: String
    let lastUsed: String
  }

  init(_ list: [AccountDevice]) {
    devices = list.map {
      Device(
        session: String($0.session), name: $0.label?.name, isThis: $0.isThis,
        since: $0.since.iso8601,
        lastUsed: $0.lastUsed.iso8601)
    }
  }
}
