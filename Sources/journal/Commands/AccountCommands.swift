// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import Posix
import Sodium

/// `journal encryption`.
struct EncryptionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encryption",
    abstract: "Turn encryption and sync on or off.",
    subcommands: [OnCommand.self, OffCommand.self])

  /// `journal encryption on`.
  struct OnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "on",
      abstract: "Make an account, seal everything under your password, upload it.",
      discussion: """
        Everything is sealed on this device, under a key that only your password or the recovery \
        kit opens; the server gets sealed bytes. After an interruption, the same command goes on; \
        after "cloud delete" it begins a new cloud copy.
        """)

    @OptionGroup var account: AccountOptions

    @Option(
      help: ArgumentHelp("An invitation, where the server asks for one.", valueName: "word"))
    var invitation = ""

    @OptionGroup var kit: RecoveryKitOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.openOrCreate()
      let status = try opened.syncStatus()
      if status.isOn, !status.isUnfinished { throw JournalError.encryptionOn }
      if status.makesKit { try kit.check() }
      var wish = account.wish
      wish.invitation = invitation
      let isNew = status.account == nil
      let password = try isNew ? journal.password.chosen() : journal.password.existing()
      if try opened.isSealed, !opened.keys.isUnlocked, !journal.unlockFromAgent(opened) {
        // After a deletion, or an interruption: the journal has a password already.
        try await journal.unlock(opened, with: password)
      }
      let (kit, account) = (kit, wish)
      try await SyncEngine(opened).turnEncryptionOn(
        wish, password: password,
        confirm: { kit.handOver($0, of: account.name, at: account.server.url) },
        options: progress.options())
      try journal.startAgent(for: opened, idle: AgentClient.usualIdle)
      Terminal.note("encryption is on; the journal is unlocked for \(IdleTime.usual)")
    }
  }

  /// `journal encryption off`.
  struct OffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "off",
      abstract: "Keep this journal without password, on this device.",
      discussion: """
        The entries stay, readable to whoever can read this folder. The cloud copy and your other \
        devices go on, unless --delete-cloud-data.
        """)

    @Flag(help: "Delete the cloud copy first, for every device.")
    var deleteCloudData = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.isSealed else { throw JournalError.encryptionOff }
      let question =
        deleteCloudData
        ? "Delete the cloud copy and keep this journal without password?"
        : "Keep this journal without password?"
      try Terminal.confirm(question, yes: yes)
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      let engine = SyncEngine(opened)
      if deleteCloudData {
        let receipt = try await engine.deleteCloudData(
          password: password, options: progress.options())
        Terminal.note(receipt.words)
      }
      try await engine.turnEncryptionOff(password: password, options: progress.options())
      journal.agent.lock()
      Terminal.note("encryption is off; the journal is on this device alone")
    }
  }
}

/// `journal join`.
struct JoinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join",
    abstract: "Use an account you have on this device too.",
    discussion: "Entries that this device has already are merged in; nothing is replaced.")

  @OptionGroup var account: AccountOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try journal.openOrCreate()
    // After a deletion the journal is sealed, perhaps under an earlier password.
    if !opened.keys.isUnlocked { _ = journal.unlockFromAgent(opened) }
    let password = try journal.password.existing()
    let report = try await SyncEngine(opened).join(
      account.wish, password: password, options: progress.options())
    try journal.startAgent(for: opened, idle: AgentClient.usualIdle)
    if output.json { return try Terminal.show(json: SyncShape(report)) }
    Terminal.show(report.words)
    if let fingerprint = try opened.syncStatus().fingerprint {
      Terminal.note(
        "compare with \"journal status\" on another device: the vault is \(fingerprint)")
    }
    try report.complain()
  }
}

/// `journal password`.
struct PasswordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "password", abstract: "The password of the account.",
    subcommands: [ChangeCommand.self, StrengthenCommand.self])

  /// `journal password change`.
  struct ChangeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "change",
      abstract: "Choose another password, for every device.",
      discussion: """
        All other devices ask for it at their next sync. It does not help against someone who knew \
        the old password and took a copy of the server's data before: "journal keys rotate" does.
        """)

    @OptionGroup var new: NewPasswordOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.isSealed else { throw JournalError.encryptionOff }
      try new.check()
      let present = try journal.password.existing("Present password: ")
      try await journal.unlock(opened, with: present)
      try await SyncEngine(opened).changePassword(
        from: present, to: new.chosen(), options: progress.options())
      try journal.refreshAgent(for: opened)
      Terminal.note("the password is changed; your other devices will ask for it")
    }
  }
  /// `journal password strengthen`.
  struct StrengthenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "strengthen",
      abstract: "Make each guess at the same password dearer, for every device.",
      discussion: """
        Every login and unlocking then takes some seconds and 1 GiB of memory, for you and for \
        whoever guesses; a device with less memory can no longer log in. All other devices ask for \
        the password at their next sync. A server that kept the old record can still be guessed \
        against at the old price.
        """)

    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.isSealed else { throw JournalError.encryptionOff }
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      let isStronger = try await SyncEngine(opened).strengthenPassword(
        password, options: progress.options())
      try journal.refreshAgent(for: opened)
      Terminal.note(
        isStronger
          ? "guesses at the password are dearer now; your other devices will ask for it"
          : "guesses at the password are as dear as they can be already")
    }
  }
}
