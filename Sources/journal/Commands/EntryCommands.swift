// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow
import Posix

/// `journal show`.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show an entry in full.")

  @Argument(help: "Its ID.")
  var id: String

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let entry = try opened.entry(opened.id(typed: id))
    if output.json { return try Terminal.show(json: EntryShape(entry)) }
    Terminal.show(entry.shown)
  }
}

/// `journal edit`.
struct EditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Change an entry.",
    discussion: """
      With none of the options it opens the text in $VISUAL or $EDITOR; in a pipe it reads the new \
      text from standard input. What it said before stays in its history. What a sync brings \
      meanwhile is merged in; where the two do not fit together, both are kept.
      """)

  @Argument(help: "Its ID.")
  var id: String

  @Option(help: "The new title.")
  var title: String?

  @Option(help: "The new text.")
  var text: String?

  @Option(help: "The moment it is about.", transform: Instant.parse)
  var date: Instant?

  @Option(name: .customLong("tag"), help: "Its tags from now on; may be given several times.")
  var tags: [String] = []

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let id = try opened.id(typed: id)
    let entry =
      try text == nil && title == nil && date == nil && tags.isEmpty
      ? editText(of: id, in: opened) : change(id, in: opened)
    if output.json { return try Terminal.show(json: EntryShape(entry)) }
    Terminal.show(entry.id.description)
  }

  /// Changes the fields that were named.
  private func change(_ id: ObjectID, in journal: Journal) throws -> Entry {
    try journal.edit(id) { entry in
      if let title { entry.title = title }
      if let text { entry.content = text }
      if let date { entry.createdAt = date }
      if !tags.isEmpty { entry.tags = tags }
    }
  }

  /// Changes the text to what is typed or piped in, however long that takes.
  private func editText(of id: ObjectID, in journal: Journal) throws -> Entry {
    let opened = try journal.open(id)
    func save(_ text: String) throws -> (entry: Entry, outcome: EditOutcome) {
      var entry = opened.entry
      entry.content = text
      return try journal.save(entry, over: opened)
    }
    let (entry, outcome) =
      try StandardStream.input.isTerminal
      ? Editor.edit(opened.entry.content, save: save) : save(StandardStream.readText())
    switch outcome {
    case .saved: break
    case .merged:
      Terminal.note("the entry was changed elsewhere meanwhile: both changes are in it")
    case .revived:
      Terminal.note("the entry was deleted elsewhere meanwhile: it lives again, with your text")
    case .copied:
      Terminal.note(
        "the entry was changed elsewhere meanwhile: your text is a conflict copy of its own")
    }
    return entry
  }
}

/// `journal delete`.
struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete entries, on every device.",
    discussion: "What they said stays in their history, as long as the server keeps history.")

  @Argument(help: "Their IDs.")
  var ids: [String]

  @Flag(name: .shortAndLong, help: "Do not ask.")
  var yes = false

  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let ids = try ids.map { try opened.id(typed: $0) }
    let entries = try ids.map { try opened.entry($0) }
    let what = entries.count == 1 ? "\"\(entries[0].headline)\"" : "\(entries.count) entries"
    try Terminal.confirm("Delete \(what)?", yes: yes)
    for id in ids { try opened.delete(id) }
    Terminal.note("deleted \(what)")
  }
}

extension Entry {
  /// The entry as a person reads it.
  var shown: String {
    var lines = [createdAt.shown + "  " + id.description]
    if !title.isEmpty { lines.append(title) }
    if !tags.isEmpty { lines.append(tags.map { "#" + $0 }.joined(separator: " ")) }
    if let conflictOf { lines.append("a conflict copy of \(conflictOf)") }
    return lines.joined(separator: "\n") + "\n\n" + content
  }

  /// Its title, or how its text begins.
  var headline: String {
    if !title.isEmpty { return title }
    let line = content.prefix { !$0.isNewline }
    return line.count > 60 ? line.prefix(59) + "…" : String(line)
  }
}
