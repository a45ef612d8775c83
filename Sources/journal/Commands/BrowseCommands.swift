// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient

/// `journal tags`.
struct TagsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tags", abstract: "List the tags, the most used first.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let tags = try await journal.unlocked().tags()
    if output.json { return try Terminal.show(json: TagsShape(tags)) }
    Terminal.show(lines: tags.map { "\($0.count)  #\($0.tag)" })
  }
}

/// `journal random`.
struct RandomCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "random", abstract: "Show an entry by chance.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    guard let chosen = try opened.random() else {
      throw Complaint("the journal is empty", hints: "\"journal write\" begins it")
    }
    let entry = try opened.entry(chosen.id)
    if output.json { return try Terminal.show(json: EntryShape(entry)) }
    Terminal.show(entry.shown)
  }
}

/// `journal tags --json`.
struct TagsShape: Encodable {
  let tags: [Tag]

  struct Tag: Encodable {
    let tag: String
    let entries: Int
  }

  init(_ list: [(tag: String, count: Int)]) {
    tags = list.map { Tag(tag: $0.tag, entries: $0.count) }
  }
}
