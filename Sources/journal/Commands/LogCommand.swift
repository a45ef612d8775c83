// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow

/// `journal log`.
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Show what was synced, merged and changed, and when.")

  @Option(name: [.customShort("n"), .long], help: "At most so many.")
  var limit = 50

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let events = try opened.activity(limit: max(0, limit))
    if output.json { return try Terminal.show(json: LogShape(events)) }
    Terminal.show(lines: events.map(\.line))
  }
}

extension ActivityEvent {
  /// One line of the log.
  var line: String {
    var words = [time.shown, what.rawValue]
    if received > 0 { words.append("\(received) came") }
    if sent > 0 { words.append("\(sent) went") }
    if let record { words.append("entry \(record.short(Marks()))") }
    if !detail.isEmpty { words.append(detail) }
    return words.joined(separator: "  ")
  }
}

/// `journal log --json`.
struct LogShape: Encodable {
  let events: [Event]

  struct Event: Encodable {
    let time: String
    let event: String
    let device: String?
    let record: String?
    let received: Int
    let sent: Int
    let detail: String
  }

  init(_ list: [ActivityEvent]) {
    events = list.map {
      Event(
        time: $0.time.iso8601, event: $0.what.rawValue, device: $0.device?.description,
        record: $0.record?.description, received: $0.received, sent: $0.sent, detail: $0.detail)
    }
  }
}
