// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow
import Posix

/// `journal list`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List entries, the newest first.",
    discussion: "On a terminal it shows as many as fit; --all or -n say otherwise.")

  @Option(name: [.customShort("n"), .long], help: "At most so many.")
  var limit: Int?

  @Flag(help: "Every entry.")
  var all = false

  @Option(help: "Only entries with this tag.")
  var tag: String?

  @Option(help: "Only entries from this moment on.", transform: Instant.parse)
  var since: Instant?

  @Option(help: "Only entries before this moment.", transform: Instant.parse)
  var until: Instant?

  @Flag(help: "The oldest first.")
  var oldestFirst = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("-n takes a number from 0 on") }
    if let since, let until, until < since {
      throw ValidationError("--until is before --since")
    }
  }

  func run() async throws {
    let opened = try await journal.unlocked()
    let screenful = StandardStream.output.isTerminal && !output.json && !all ? 20 : nil
    let entries = try opened.list(
      ListQuery(
        limit: limit ?? screenful, during: period, tag: tag, oldestFirst: oldestFirst))
    if output.json {
      return try Terminal.show(json: ListShape(entries: entries.map(SummaryShape.init)))
    }
    let marks = try Marks(for: entries.map(\.id), in: opened)
    Terminal.show(lines: entries.map { $0.shown(marks) })
    if limit == nil, let screenful, entries.count == screenful {
      let count = try opened.count()
      if count > screenful { Terminal.note("… of \(count); --all lists them all") }
    }
  }

  private var period: Range<Instant>? {
    guard since != nil || until != nil else { return nil }
    let start = since ?? Instant(milliseconds: .min)
    return start..<(until ?? Instant(milliseconds: .max))
  }
}

/// `journal search`.
struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Find entries that hold every word given.",
    discussion:
      "Case and accents do not count; \"words in quotes\" are one. It searches on this device, in memory."
  )

  @Argument(help: "What to look for in titles, texts and tags.")
  var words: [String]

  @Option(name: [.customShort("n"), .long], help: "At most so many.")
  var limit: Int?

  @OptionGroup var output: OutputOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try await journal.unlocked()
    let result = try opened.search(words.joined(separator: " "), limit: limit)
    if output.json {
      return try Terminal.show(
        json: SearchShape(
          total: result.total,
          entries: result.hits.map { HitShape(SummaryShape($0.summary), excerpt: $0.excerpt) }))
    }
    for hit in result.hits {
      Terminal.show(lines: [hit.summary.shown(Marks())])
      if !hit.excerpt.isEmpty, hit.excerpt != hit.summary.line {
        Terminal.show("          " + hit.excerpt)
      }
    }
    if result.total == 0 {
      Terminal.note("nothing found")
    } else if result.total > result.hits.count {
      Terminal.note("… of \(result.total)")
    }
  }
}

extension EntrySummary {
  /// One line of a list: id, day, title, tags.
  func shown(_ marks: Marks) -> String {
    var line = "\(id.short(marks))  \(createdAt.shownDay)  \(self.line)"
    if isConflictCopy { line += "  (conflict copy)" }
    if !tags.isEmpty { line += "  " + tags.map { "#" + $0 }.joined(separator: " ") }
    return line
  }
}

/// How many digits of their ids tell the entries of a list apart.
struct Marks {
  private(set) var digits = 8

  init() {}

  init(for ids: [ObjectID], in journal: Journal) throws {
    while digits < 32, Set(ids.map { $0.description.prefix(digits) }).count < ids.count {
      digits += 2
    }
  }
}

extension ObjectID {
  /// As many digits as `marks` says.
  func short(_ marks: Marks) -> Substring { description.prefix(marks.digits) }
}

/// `journal list --json`.
struct ListShape: Encodable {
  let entries: [SummaryShape]
}

/// `journal search --json`.
struct SearchShape: Encodable {
  let total: Int
  let entries: [HitShape]
}

/// An entry that a search found.
struct HitShape: Encodable {
  private let summary: SummaryShape
  private let excerpt: String

  init(_ summary: SummaryShape, excerpt: String) {
    self.summary = summary
    self.excerpt = excerpt
  }

  private enum Members: String, CodingKey {
    case excerpt
  }

  func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var members = encoder.container(keyedBy: Members.self)
    try members.encode(excerpt, forKey: .excerpt)
  }
}

/// An entry as a list has it.
struct SummaryShape: Encodable {
  let id: String
  let title: String
  let beginning: String
  let createdAt: String
  let updatedAt: String
  let tags: [String]
  let isConflictCopy: Bool

  init(_ entry: EntrySummary) {
    id = entry.id.description
    title = entry.hasTitle ? entry.line : ""
    beginning = entry.hasTitle ? "" : entry.line
    createdAt = entry.createdAt.iso8601
    updatedAt = entry.updatedAt.iso8601
    tags = entry.tags
    isConflictCopy = entry.isConflictCopy
  }
}
