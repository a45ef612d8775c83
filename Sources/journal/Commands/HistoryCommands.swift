// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow

/// `journal history`.
struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "Show the revisions of an entry, or what one of them said.")

  @Argument(help: "Its ID.")
  var id: String

  @Argument(help: "A revision's number: show what it said.")
  var revision: UInt64?

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let id = try opened.id(typed: id)
    if let revision {
      let entry = try opened.entry(id, revision: revision)
      if output.json { return try Terminal.show(json: EntryShape(entry)) }
      return Terminal.show(entry.shown)
    }
    let revisions = try opened.history(id)
    if output.json { return try Terminal.show(json: HistoryShape(revisions)) }
    Terminal.show(lines: revisions.map(\.line))
  }
}

/// `journal restore`.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make an entry say again what a revision said.")

  @Argument(help: "Its ID, in full where it was deleted.")
  var id: String

  @Argument(help: "The revision's number, from \"journal history\".")
  var revision: UInt64

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let entry = try opened.restore(opened.id(typed: id), revision: revision)
    if output.json { return try Terminal.show(json: EntryShape(entry)) }
    Terminal.show(entry.id.description)
  }
}

extension EntryRevision {
  /// One line of a history.
  var line: String {
    var marks: [String] = []
    if isCurrent { marks.append("current") }
    if isDeletion { marks.append("deleted") }
    if isPending { marks.append("waiting") }
    if isSuperseded { marks.append("put aside by a merge") }
    if isDamaged { marks.append("damaged") }
    let number = String(revision)
    return String(repeating: " ", count: max(0, 5 - number.count)) + number + "  "
      + (updatedAt?.shown ?? "?") + (marks.isEmpty ? "" : "  " + marks.joined(separator: ", "))
  }
}

/// `journal history --json`.
struct HistoryShape: Encodable {
  let revisions: [Revision]

  struct Revision: Encodable {
    let revision: UInt64
    let updatedAt: String?
    let device: String?
    let isCurrent: Bool
    let isPending: Bool
    let isSuperseded: Bool
    let isDeletion: Bool
    let isDamaged: Bool
  }

  init(_ list: [EntryRevision]) {
    revisions = list.map {
      Revision(
        revision: $0.revision, updatedAt: $0.updatedAt?.iso8601, device: $0.device?.description,
        isCurrent: $0.isCurrent, isPending: $0.isPending, isSuperseded: $0.isSuperseded,
        isDeletion: $0.isDeletion, isDamaged: $0.isDamaged)
    }
  }
}
