// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import TestSupport
import Testing

@Suite struct ListTests {
  let test = TestJournal()

  @Test func `the newest entries come first, of any year`() throws {
    let journal = try test.create()
    for year in ["1659", "2024", "0044", "1969"] {
      try journal.write(title: year, content: "x", createdAt: Instant(iso8601: "\(year)-05-05"))
    }
    #expect(try journal.list().map(\.line) == ["2024", "1969", "1659", "0044"])
    #expect(try journal.list(ListQuery(limit: 2)).map(\.line) == ["2024", "1969"])
    let oldest = try journal.list(ListQuery(limit: 1, oldestFirst: true))
    #expect(oldest.map(\.line) == ["0044"])
    let from = try #require(Instant(iso8601: "1900-01-01"))
    let to = try #require(Instant(iso8601: "2000-01-01"))
    #expect(try journal.list(ListQuery(during: from..<to)).map(\.line) == ["1969"])
  }

  @Test func `a limit gives the beginning of the whole list, from either end`() throws {
    var random = SeededGenerator(for: #function)
    let journal = try test.create()
    for number in 0..<200 {
      let moment = Instant(milliseconds: .random(in: -50...50, using: &random))
      try journal.write(title: "\(number)", content: "x", createdAt: moment)
    }
    for oldestFirst in [false, true] {
      let whole = try journal.list(ListQuery(oldestFirst: oldestFirst))
      for limit in [0, 1, 2, 7, 20, 199, 200, 300] {
        let part = try journal.list(ListQuery(limit: limit, oldestFirst: oldestFirst))
        #expect(part == Array(whole.prefix(limit)), "limit \(limit)")
      }
    }
  }

  @Test func `tags are found whatever their case, and counted`() throws {
    let journal = try test.create()
    try journal.write(title: "a", content: "x", tags: ["Home", "cat"])
    try journal.write(title: "b", content: "x", tags: ["home"])
    #expect(try journal.list(ListQuery(tag: "CAT")).map(\.line) == ["a"])
    #expect(try Set(journal.list(ListQuery(tag: "home")).map(\.line)) == ["a", "b"])
  }

  @Test func `an entry without a title shows its first line`() throws {
    let journal = try test.create()
    try journal.write(content: "\n  first line\nsecond")
    let summary = try #require(journal.list().first)
    #expect(summary.line == "first line")
    #expect(!summary.hasTitle)
  }

  @Test func `list and search agree with the records after any writes`() throws {
    var random = SeededGenerator(for: #function)
    var journal = try test.create()
    var expected: [ObjectID: String] = [:]
    for round in 0..<6 {
      for _ in 0..<Int.random(in: 1...150, using: &random) {
        let text = "Wörd\(Int.random(in: 0..<40, using: &random)) end"
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
          guard let id = expected.keys.sorted().randomElement(using: &random) else { continue }
          try journal.delete(id)
          expected[id] = nil
        case 1...3:
          guard let id = expected.keys.sorted().randomElement(using: &random) else { continue }
          try journal.edit(id) { $0.content = text }
          expected[id] = text
        default: expected[try journal.write(content: text).id] = text
        }
      }
      if Bool.random(using: &random) { journal = try test.open() }
      let listed = Dictionary(uniqueKeysWithValues: try journal.list().map { ($0.id, $0.line) })
      #expect(listed == expected, "round \(round)")
      let word = Int.random(in: 0..<40, using: &random)
      let found = try journal.search("word\(word) end")
      let wanted = expected.filter {
        $0.value == "Wörd\(word) end" || $0.value.hasPrefix("Wörd\(word)")
      }
      #expect(Set(found.hits.map(\.id)) == Set(wanted.keys), "round \(round)")
      #expect(found.total == wanted.count, "round \(round)")
    }
  }

  @Test func `a search takes every word, a phrase as it stands, and no notice of case or accents`()
    throws
  {
    let journal = try test.create()
    try journal.write(title: "one", content: "Der Café-Besuch. Straße, ÉTÉ — it’s fine")
    try journal.write(title: "two", content: "cafe strasse")
    #expect(try journal.search("cafe besuch").hits.map(\.summary.line) == ["one"])
    #expect(try journal.search("CAFÉ strasse").total == 2)
    #expect(try journal.search("\"cafe strasse\"").hits.map(\.summary.line) == ["two"])
    #expect(try journal.search("it's ete").total == 1)
    #expect(try journal.search("nothing").total == 0)
    #expect(try journal.search("one").total == 1, "titles are searched")
    #expect(throws: JournalError.self) { try journal.search("  ") }
  }

  @Test func `an entry too long for the search text is found all the same`() throws {
    let journal = try test.create()
    let long = String(repeating: "lorem ipsum ", count: 40_000) + "needle"
    let entry = try journal.write(content: long)
    #expect(try journal.search("needle").hits.map(\.id) == [entry.id])
  }

  @Test func `a hit shows its line`() throws {
    let journal = try test.create()
    try journal.write(content: "first\nthe second line\nthird")
    #expect(try journal.search("SECOND").hits.first?.excerpt == "the second line")
  }
}
