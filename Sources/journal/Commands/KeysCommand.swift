// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import Posix
import Sodium

/// `journal keys`.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "The keys that seal the journal.",
    subcommands: [RotateCommand.self])

  /// `journal keys rotate`.
  struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rotate",
      abstract: "Someone may know your password, or have your kit: change all keys.",
      discussion: """
        Makes a new vault key, with a new password and a new recovery kit, and seals every entry \
        anew under it. Whoever has the old password, the old kit or the old key can then open \
        nothing that is written from now on, not even together with the server.

        What was sealed before, they could have read already, and copies of it stay readable to \
        them. Each of your other devices asks for the new password, and is protected from its next \
        login on: log in on each of them now, and compare "journal status" between them.

        After an interruption the same command goes on; "journal sync", on any device, goes on \
        with sealing anew.
        """)

    @OptionGroup var new: NewPasswordOptions
    @OptionGroup var kit: RecoveryKitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard let account = try opened.state().account else { throw JournalError.encryptionOff }
      try new.check()
      let isGoingOn = try opened.syncStatus().isRotationInDoubt
      if !isGoingOn { try kit.check() }
      let present = try journal.password.existing("Present password: ")
      try await journal.unlock(opened, with: present)
      let engine = SyncEngine(opened)
      let kit = kit
      try await engine.rotateKeys(
        from: present, to: new.chosen(),
        confirm: { kit.handOver($0, of: account.name, at: account.url) },
        options: progress.options())
      try journal.refreshAgent(for: opened)
      Terminal.note(
        "the keys are changed; your other devices ask for the new password: log in on each of them")
      let report = try await engine.sync(progress.options())
      if output.json { return try Terminal.show(json: SyncShape(report)) }
      Terminal.show(report.words)
      try report.complain()
    }
  }
}

/// Where a command takes a new password from.
struct NewPasswordOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read the new password from the first line of FILE, - for standard input.",
      valueName: "file"))
  var newPasswordFile: String?

  /// - Throws: ``Complaint`` where nobody can be asked, before anything else is.
  func check() throws {
    guard newPasswordFile != nil || SecretInput.hasTerminal else {
      throw Complaint.nobodyToAsk(flag: "--new-password-file FILE")
    }
  }

  /// The new password.
  func chosen() throws -> SecretBytes {
    var options = PasswordOptions()
    options.passwordFile = newPasswordFile
    return try options.chosen()
  }
}
