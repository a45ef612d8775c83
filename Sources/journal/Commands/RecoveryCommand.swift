// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import Posix
import Sodium

/// `journal recovery`.
struct RecoveryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recovery",
    abstract: "The recovery kit: test it, use it, make another.",
    subcommands: [TestCommand.self, UseCommand.self, NewCommand.self])

  /// `journal recovery test`.
  struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "test",
      abstract: "See whether your recovery kit opens this journal; changes nothing.",
      discussion: """
        Asks for the code on the kit, opens the journal's recovery slot at the server with it, and \
        says so. Do it once after the kit was made, and again when you wonder.
        """)

    @OptionGroup var code: RecoveryCodeOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.state().account != nil else { throw JournalError.encryptionOff }
      let typed = try code.typed()
      let kit: RehearsedKit
      do {
        kit = try await SyncEngine(opened).rehearse(code: typed)
      } catch {
        guard case .offline = error else { throw error }
        throw Complaint(error).adding(
          "the code's check characters hold; only the server can tell whether it opens the journal")
      }
      if output.json { return try Terminal.show(json: Shape(kit)) }
      Terminal.show("the recovery kit opens this journal; nothing was changed")
      Terminal.note("the kit is the one that says: vault \(kit.fingerprint)")
      if kit.isNewer {
        Terminal.note("the keys were changed on another device; \"journal sync\" follows")
      }
    }

    /// `journal recovery test --json`.
    private struct Shape: Encodable {
      let opens = true
      let fingerprint: String
      let isNewer: Bool

      init(_ kit: RehearsedKit) {
        fingerprint = kit.fingerprint
        isNewer = kit.isNewer
      }
    }
  }

  /// `journal recovery use`.
  struct UseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "use",
      abstract: "You forgot the password: open the account with the recovery kit.",
      discussion: """
        Asks for the code on the kit and for a new password, shows a new kit, and changes all keys: \
        the kit that you type is spent. Works on a device that has the journal, where whatever waits \
        stays and is merged, and on any other, which joins the account. Your other devices ask for \
        the new password. After an interruption the same command goes on.
        """)

    @Option(
      help: ArgumentHelp(
        "The server: https://…; on a device that has the journal, it is known.",
        valueName: "url"),
      transform: ServerAddress.parse)
    var server: ServerAddress?

    @Option(help: "The account's name; on a device that has the journal, it is known.")
    var user: String?

    @OptionGroup var code: RecoveryCodeOptions
    @OptionGroup var new: NewPasswordOptions
    @OptionGroup var kit: RecoveryKitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func validate() throws {
      guard (server == nil) == (user == nil) else {
        throw ValidationError("--server and --user go together")
      }
    }

    func run() async throws {
      var wish: AccountWish?
      if let server, let user { wish = AccountWish(server: server, name: user) }
      let opened = try wish == nil ? journal.open() : journal.openOrCreate()
      let state = try opened.state()
      guard let name = wish?.name ?? state.account?.name,
        let url = wish?.server.url ?? state.account?.url
      else {
        throw Complaint.usage(
          "this journal belongs to no account", hint: "--server URL and --user NAME say which")
      }
      try new.check()
      try kit.check()
      if state.account == nil || wish == nil { try await unlockIfOpen(opened) }
      let typed = try code.typed()
      let kit = kit
      let report = try await SyncEngine(opened).recover(
        wish, code: typed, newPassword: new.chosen(),
        confirm: { kit.handOver($0, of: name, at: url) }, options: progress.options())
      try journal.startAgent(for: opened, idle: AgentClient.usualIdle)
      Terminal.note(
        "the new password and the new kit hold; the old ones are void, and your other devices ask "
          + "for the new password")
      if output.json { return try Terminal.show(json: SyncShape(report)) }
      Terminal.show(report.words)
      try report.complain()
    }

    /// Unlocks what needs no password, and nothing else: it is the password that is lost.
    private func unlockIfOpen(_ opened: Journal) async throws {
      if !opened.keys.isUnlocked { _ = journal.unlockFromAgent(opened) }
    }
  }

  /// `journal recovery new`.
  struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "new",
      abstract: "Make another recovery kit, in the place of the present one.",
      discussion: """
        For a kit that is worn, or that you cannot find. If somebody may have read it, this is not \
        enough: who kept a copy of the server's data can still open that with the old kit. \
        "journal keys rotate" changes the keys too.
        """)

    @OptionGroup var kit: RecoveryKitOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard let account = try opened.state().account else { throw JournalError.encryptionOff }
      try kit.check()
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      let kit = kit
      try await SyncEngine(opened).makeRecoveryKit(
        password: password, confirm: { kit.handOver($0, of: account.name, at: account.url) },
        options: progress.options())
      try journal.refreshAgent(for: opened)
      Terminal.note("the new kit holds, and the one before opens nothing at the server any more")
    }
  }
}
