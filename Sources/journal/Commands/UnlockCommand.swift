// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient

/// `journal unlock`: the key goes to an agent for a while.
struct UnlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Ask for the password once, and work for a while.",
    discussion: """
      A background process keeps the key, in memory that is not swapped, until it was not used for \
      the given time, or "journal lock", or the computer is switched off. Nothing is written to disk.
      """)

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long after the last use: 90s, 15m, 8h.", valueName: "time"))
  var idle = IdleTime.usual

  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try journal.open()
    guard try opened.isSealed else {
      Terminal.note("encryption is off: there is nothing to unlock")
      return
    }
    try await journal.unlock(opened, with: journal.password.existing())
    try journal.startAgent(for: opened, idle: idle.duration)
    Terminal.note("unlocked, until it was not used for \(idle)")
  }
}

/// `journal lock`: the agent ends, its memory wiped.
struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Wipe the key from memory, now.",
    discussion: "Ends the background process that keeps it, and every \"journal watch\".")

  @OptionGroup var journal: JournalOptions

  func run() throws {
    let opened = try journal.open()
    let ended = journal.agent.lock()
    if try !opened.isSealed {
      Terminal.note("encryption is off: the journal cannot be locked")
    } else {
      Terminal.note(ended ? "locked" : "it was locked already")
    }
  }
}

/// What `journal unlock` starts; not for people.
struct AgentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agent", abstract: "Hold the key; started by unlock.", shouldDisplay: false)

  @Option var folder: String
  @Option var name: String
  @Option var idle: Int

  func run() throws {
    try Agent.run(name: name, in: folder, idle: .seconds(idle))
  }
}

/// A time such as `15m` on the command line.
struct IdleTime: ExpressibleByArgument, CustomStringConvertible {
  static let usual = IdleTime(duration: AgentClient.usualIdle)

  let duration: Duration

  init(duration: Duration) {
    self.duration = duration
  }

  init?(argument: String) {
    guard let unit = argument.last, let number = Int(argument.dropLast()), number > 0,
      number <= 1_000_000, let seconds = ["s": 1, "m": 60, "h": 3600][unit]
    else { return nil }
    duration = .seconds(number * seconds)
  }

  var description: String {
    let seconds = duration.components.seconds
    if seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    return seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
  }

  var defaultValueDescription: String { description }
}
