// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient

/// `journal account`.
struct AccountCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "The account, when password and kit are both lost.",
    subcommands: [StartOverCommand.self])

  /// `journal account start-over`.
  struct StartOverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "start-over",
      abstract: "Password and kit are lost, and this device is unlocked: ask for another password.",
      discussion: """
        The new password opens this device at once. The account takes it after 72 hours, when you \
        give the same command here again: until then every device of yours shows the wish, and \
        whoever logs in with the present password, or refuses, takes it back. If it is not yours, \
        refuse it with --refuse, on any unlocked device.
        """)

    @Flag(help: "Take the wish back, whichever device's it is.")
    var refuse = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var new: NewPasswordOptions
    @OptionGroup var kit: RecoveryKitOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard let account = try opened.state().account else { throw JournalError.encryptionOff }
      if refuse { return try await takeBack(opened) }
      if let wish = try opened.state().startOver, wish.isOwn {
        guard wish.dueAt <= .now else { throw JournalError.startOverNotDue(wish.dueAt) }
        return try await finish(opened, account)
      }
      guard opened.keys.isUnlocked || journal.unlockFromAgent(opened) else {
        throw JournalError.locked
      }
      try new.check()
      try Terminal.confirm("Ask for another password, without the present one?", yes: yes)
      let wish = try await SyncEngine(opened).startOver(
        newPassword: new.chosen(), options: progress.options())
      guard wish.isOwn else {
        throw Complaint(
          "another device asked already", hints: "\(StartOverWish.refusal) if it is not yours")
      }
      Terminal.note(
        "asked; the same command on this device sets the password for good from "
          + "\(wish.dueAt.shown) on")
      Terminal.note("until then it opens this device alone; stay logged in here, and keep it")
    }

    private func takeBack(_ opened: Journal) async throws {
      try await journal.unlock(opened)
      try await journal.withServer(opened, progress.options()) { engine, _ in
        try await engine.refuseStartOver()
      }
      Terminal.note("nobody starts over")
    }

    private func finish(_ opened: Journal, _ account: ServerAccount) async throws {
      try kit.check()
      let password = try journal.password.existing("The new password: ")
      let kit = kit
      let engine = SyncEngine(opened)
      try await engine.finishStartOver(
        newPassword: password, confirm: { kit.handOver($0, of: account.name, at: account.url) },
        options: progress.options())
      try journal.startAgent(for: opened, idle: AgentClient.usualIdle)
      Terminal.note(
        "the new password and the new kit hold; your other devices ask for the new password")
      let report = try await engine.sync(progress.options())
      Terminal.show(report.words)
      try report.complain()
    }
  }
}

extension StartOverWish {
  /// How it is refused.
  static let refusal = "\"journal account start-over --refuse\" refuses it"

  /// The words for it.
  var words: String {
    isOwn
      ? "this device asked to start over; from \(dueAt.shown) on \"journal account start-over\" "
        + "sets the new password"
      : "a device asked to set another password without the present one, from \(dueAt.shown) on; if "
        + "it is not yours, \(Self.refusal)"
  }
}
