// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow
import Posix

/// `journal write`: a new entry from arguments, standard input or the editor.
struct WriteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "write",
    abstract: "Write an entry.",
    discussion: """
      Without TEXT it opens $VISUAL or $EDITOR; in a pipe it reads standard input. When it prints \
      the entry's ID, the entry is safe on this device; where it cannot be saved, the text stays in
      the editor's file, which is named.
      """)

  @Argument(help: "The text, markdown.")
  var text: [String] = []

  @Option(help: "A title, one line.")
  var title = ""

  @Option(
    help: "The moment it is about: 2026-11-24, \"2026-11-24 21:00\", yesterday.",
    transform: Instant.parse)
  var date: Instant?

  @Option(name: .customLong("tag"), help: "A tag; may be given several times.")
  var tags: [String] = []

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked(creating: true)
    let entry: Entry
    if !text.isEmpty {
      entry = try write(text.joined(separator: " "), in: opened)
    } else if StandardStream.input.isTerminal {
      entry = try Editor.edit("") { try write($0, in: opened) }
    } else {
      entry = try write(try StandardStream.readText(), in: opened)
    }
    if output.json {
      try Terminal.show(json: EntryShape(entry))
    } else {
      Terminal.show(entry.id.description)
    }
  }

  private func write(_ content: String, in journal: Journal) throws -> Entry {
    guard !content.trimmingSpaces.isEmpty || !title.isEmpty else {
      throw Complaint("there is nothing to write", hints: "no entry was made")
    }
    return try journal.write(title: title, content: content, createdAt: date, tags: tags)
  }
}
