// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import VaultProtocol

/// `journal cloud`.
struct CloudCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cloud",
    abstract: "The copy on the server.",
    subcommands: [StatusCommand.self, DeleteCommand.self, BeginCommand.self],
    defaultSubcommand: StatusCommand.self)

  /// `journal cloud delete`.
  struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "delete",
      abstract: "Delete cloud data: everything of yours on the server, for every device.",
      discussion: """
        Your entries stay on this device and on the others, which learn of it at their next sync. \
        Neither text nor key goes into the request. The server signs for what it deleted; backups \
        that its operator made before are beyond that, and hold sealed bytes.
        """)

    @Flag(help: "Delete the account and its name too.")
    var account = false

    @Flag(help: "Delete it although entries in it are damaged here.")
    var acceptDamage = false

    @Flag(help: "Delete it although what the server shows does not add up.")
    var acceptUnverified = false

    @Flag(help: "Prove it with the recovery kit's code instead of the password.")
    var recovery = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var code: RecoveryCodeOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.isSealed else { throw JournalError.encryptionOff }
      try Terminal.confirm(
        account ? "Delete the cloud copy and the account?" : "Delete the cloud copy?", yes: yes)
      var options = progress.options()
      options.allowsDamage = acceptDamage
      options.allowsUnverified = acceptUnverified
      let receipt =
        try await recovery ? byCode(opened, options) : byPassword(opened, options)
      if output.json { return try Terminal.show(json: DeletionShape(receipt)) }
      Terminal.show(receipt.words)
    }

    private func byPassword(_ opened: Journal, _ options: SyncOptions) async throws -> CloudReceipt
    {
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      return try await SyncEngine(opened).deleteCloudData(
        password: password, account: account, options: options)
    }

    private func byCode(_ opened: Journal, _ options: SyncOptions) async throws -> CloudReceipt {
      do {
        return try await SyncEngine(opened).deleteCloudData(
          code: code.typed(), account: account, options: options)
      } catch JournalError.needsPassword {
        throw Complaint(
          "there is more at the server than on this device, and no session to fetch it",
          hints: "nothing was deleted; \"journal recovery use\" brings both, then delete",
          status: .needsPassword)
      }
    }
  }
}

extension CloudCommand {
  /// `journal cloud begin`.
  struct BeginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "begin",
      abstract: "Begin the cloud copy anew, after a backup came back or something broke it.",
      discussion: """
        For when the server shows an older copy and you know why, or one that does not add up, \
        whoever wrote it: a faulty program, or someone who used a session of yours. What stands \
        there stays, what is newer here goes up again, and your other devices ask before they \
        follow. Someone else's session ends with "journal password change".
        """)

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions
    @OptionGroup var journal: JournalOptions

    func run() async throws {
      let opened = try journal.open()
      guard try opened.isSealed else { throw JournalError.encryptionOff }
      try Terminal.confirm("Begin the cloud copy anew on what the server has?", yes: yes)
      let password = try journal.password.existing()
      try await journal.unlock(opened, with: password)
      let report = try await SyncEngine(opened).beginNewCopy(
        password: password, options: progress.options())
      if output.json { return try Terminal.show(json: SyncShape(report)) }
      Terminal.show(report.words)
    }
  }
}

extension CloudReceipt {
  /// What a person is told of it.
  var words: String {
    """
    the cloud copy is deleted; the server signed for it, and shows nothing any more
      records    \(records), with \(revisions) older revisions
      bytes      \(bytes)
      commits    \(commits), up to \(lastSeq)
      sessions   \(sessions) ended
      time       \(time.shown)
      account    \(includesAccount ? "deleted too" : "kept")
      signature  \(Hex.encode(signature))
    every entry is still on this device
    """
  }
}

/// `journal cloud delete --json`.
struct DeletionShape: Encodable {
  /// True: an unverified receipt is an error, and nothing is printed.
  let verified = true
  let receipt: Receipt

  struct Receipt: Encodable {
    let records: UInt64
    let revisions: UInt64
    let commits: UInt64
    let keyrings: UInt64
    let sessions: UInt64
    let bytes: UInt64
    let lastSeq: UInt64
    let time: String
    let includesAccount: Bool
    let message: String
    let signature: String
  }

  init(_ receipt: CloudReceipt) {
    self.receipt = Receipt(
      records: receipt.records, revisions: receipt.revisions, commits: receipt.commits,
      keyrings: receipt.keyrings, sessions: receipt.sessions, bytes: receipt.bytes,
      lastSeq: receipt.lastSeq, time: receipt.time.iso8601,
      includesAccount: receipt.includesAccount,
      message: Hex.encode(receipt.message), signature: Hex.encode(receipt.signature))
  }
}
