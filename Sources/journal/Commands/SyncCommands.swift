// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow

/// `journal sync`.
struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Fetch what came, send what waits, now.",
    discussion: "As often as you like; it goes on where the last one was cut.")

  @Flag(help: "Let other devices delete more than a tenth of the entries.")
  var acceptDeletions = false

  @Flag(help: "Follow a cloud copy that another device began anew.")
  var acceptNewCopy = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try journal.open()
    guard try opened.isSealed else { throw JournalError.encryptionOff }
    try await journal.unlock(opened)
    var options = progress.options()
    options.allowsDeletions = acceptDeletions
    options.allowsNewGeneration = acceptNewCopy
    let report = try await journal.withServer(opened, options) { engine, options in
      try await engine.sync(options)
    }
    if output.json {
      try Terminal.show(json: SyncShape(report))
    } else {
      Terminal.show(report.words)
    }
    if let wish = try opened.state().startOver { Terminal.note(wish.words) }
    try report.complain()
  }
}

extension SyncReport {
  /// What a person is told of it.
  var words: String {
    var parts: [String] = []
    if received > 0 { parts.append("\(received) came") }
    if deleted > 0 { parts.append("\(deleted) deleted elsewhere") }
    if sent > 0 { parts.append("\(sent) went") }
    if resealed > 0 { parts.append("\(resealed) sealed anew under the new key") }
    if parts.isEmpty { parts.append("nothing new") }
    return (["in step: " + parts.joined(separator: ", ")] + merges.map(\.words))
      .joined(separator: "\n")
  }

  /// - Throws: `damaged` where something that came does not open.
  func complain() throws {
    if !damaged.isEmpty { throw JournalError.damaged(ids: damaged) }
  }
}

extension MergeNote {
  /// What a person is told of it.
  var words: String {
    let short = id.short(Marks())
    return switch outcome {
    case .merged: "entry \(short): both changes are in it"
    case .mine: "entry \(short): this device's change won, the other is in its history"
    case .theirs: "entry \(short): the other device's change won, yours is in its history"
    case .both(let copy): "entry \(short): both are kept, yours as \(copy.short(Marks()))"
    }
  }
}

/// `journal sync --json`, `journal join --json`.
struct SyncShape: Encodable {
  let received: Int
  let deleted: Int
  let sent: Int
  let resealed: Int?
  let merges: [Merge]
  let damaged: [String]

  struct Merge: Encodable {
    let id: String
    let outcome: String
    let copy: String?
  }

  init(_ report: SyncReport) {
    received = report.received
    deleted = report.deleted
    sent = report.sent
    resealed = report.resealed > 0 ? report.resealed : nil
    damaged = report.damaged.map(\.description)
    merges = report.merges.map { note in
      switch note.outcome {
      case .merged: Merge(id: note.id.description, outcome: "merged", copy: nil)
      case .mine: Merge(id: note.id.description, outcome: "mine", copy: nil)
      case .theirs: Merge(id: note.id.description, outcome: "theirs", copy: nil)
      case .both(let copy):
        Merge(id: note.id.description, outcome: "both", copy: copy.description)
      }
    }
  }
}

/// `journal status`.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say how the journal stands; needs no password and no network.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() throws {
    let opened = try journal.open()
    let status = try opened.syncStatus()
    let left = journal.agent.secondsLeft()
    if output.json { return try Terminal.show(json: StatusShape(status, secondsLeft: left)) }
    Terminal.show(lines: status.lines(secondsLeft: left))
  }
}

extension SyncStatus {
  /// The status line, then what needs attention.
  func lines(secondsLeft: Int?, now: Instant = .now) -> [String] {
    guard let account else {
      return ["Encryption off · this journal is on this device alone"]
    }
    var line = isUnfinished ? ["Encryption unfinished"] : ["Encryption on"]
    if isCloudDeleted { line.append("the cloud copy was deleted") }
    if let syncedAt { line.append("last synced \(syncedAt.age(at: now)) ago") }
    line.append("\(pending) waiting")
    if missing > 0 { line.append("\(missing) still to come") }
    if !damaged.isEmpty { line.append("\(damaged.count) damaged") }
    var lines = [line.joined(separator: " · ")]
    lines.append("account      \(account.name) at \(account.url)")
    if let fingerprint { lines.append("fingerprint  \(fingerprint)") }
    if let secondsLeft {
      lines.append("unlocked     for another \(max(1, secondsLeft / 60)) min")
    } else {
      lines.append("locked       \"journal unlock\" opens it")
    }
    if isUnfinished {
      lines.append("attention    \"journal encryption on\" goes on where it was cut")
    }
    if isRotationInDoubt {
      lines.append(
        "attention    it is not known whether the keys were changed; "
          + "\"journal keys rotate\" finds out and goes on")
    }
    if toReseal > 0 {
      lines.append(
        "attention    \(toReseal) entries are still under an older key; \"journal sync\" goes on")
    }
    if let startOver { lines.append("attention    " + startOver.words) }
    if let fault { lines.append("attention    " + fault.words) }
    lines += damaged.map { "damaged      entry \($0)" }
    return lines
  }
}

extension SyncFault {
  /// The words for it.
  var words: String {
    switch self {
    case .rolledBack: "the server shows an older copy of your vault than this device has seen"
    case .forked: "the server shows a different copy of your vault than this device has seen"
    case .incomplete: "what the server shows of your vault does not add up"
    case .withheld: "the server does not hand out everything that it lists"
    case .newGeneration: "the cloud copy was begun anew; \"journal sync --accept-new-copy\""
    case .untrustedDeletion: "the server claims that the cloud copy was deleted, without proof"
    case .accountReset:
      "the server says that its operator reset your account; \"journal sync\" says more"
    case .needsPassword: "the server wants the password again: \"journal sync\" asks for it"
    case .confirmationNeeded:
      "other devices deleted many entries; \"journal sync --accept-deletions\""
    }
  }
}

/// `journal status --json`.
struct StatusShape: Encodable {
  let encryption: String
  let server: String?
  let user: String?
  let isCloudDeleted: Bool
  let isLocked: Bool
  let secondsUntilLocked: Int?
  let lastSyncedAt: String?
  let waiting: Int
  let missing: Int
  let isRotationInDoubt: Bool?
  let toReseal: Int?
  let startOverDueAt: String?
  let damaged: [String]
  let attention: String?
  let fingerprint: String?

  init(_ status: SyncStatus, secondsLeft: Int?) {
    encryption = status.account == nil ? "off" : status.isUnfinished ? "unfinished" : "on"
    server = status.account?.url
    user = status.account?.name
    isCloudDeleted = status.isCloudDeleted
    isLocked = status.account != nil && secondsLeft == nil
    secondsUntilLocked = secondsLeft
    lastSyncedAt = status.syncedAt?.iso8601
    waiting = status.pending
    missing = status.missing
    isRotationInDoubt = status.isRotationInDoubt ? true : nil
    toReseal = status.toReseal > 0 ? status.toReseal : nil
    startOverDueAt = status.startOver?.dueAt.iso8601
    damaged = status.damaged.map(\.description)
    attention = status.fault?.rawValue
    fingerprint = status.fingerprint
  }
}
