// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Testing

@Suite struct EntryTests {
  let test = TestJournal()

  @Test func `an entry is read as it was written`() throws {
    let journal = try test.create()
    let written = try journal.write(
      title: "A day", content: "# Dear diary\n…",
      createdAt: Instant(milliseconds: -9_783_000_000_000),
      tags: ["home", "überall"])
    let read = try test.open().entry(written.id)
    #expect(read == written)
    #expect(read.createdAt.iso8601 == "1659-12-27T20:00:00.000Z")
    #expect(read.timeZone == "Europe/London")
  }

  @Test func `an edited entry shows its new text and keeps the old one`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    try journal.edit(entry.id) { $0.content = "two" }
    #expect(try journal.entry(entry.id).content == "two")
    let history = try journal.history(entry.id)
    #expect(history.map(\.revision) == [2, 1])
    #expect(history.map(\.isCurrent) == [true, false])
    #expect(try journal.entry(entry.id, revision: 1).content == "one")
  }

  @Test func `saving the same again writes nothing`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    try journal.save(entry)
    #expect(try journal.history(entry.id).count == 1)
  }

  @Test func `a deleted entry is not shown, and can be restored`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    try journal.delete(entry.id)
    #expect(throws: JournalError.noEntry) { try journal.entry(entry.id) }
    #expect(try journal.list().isEmpty)
    try journal.restore(entry.id, revision: 1)
    #expect(try journal.entry(entry.id).content == "one")
    #expect(try journal.list().map(\.id) == [entry.id])
  }

  @Test func `an entry larger than a blob is refused and nothing is saved`() throws {
    let journal = try test.create()
    #expect(throws: JournalError.tooLarge(limit: 1 << 20)) {
      try journal.write(content: String(repeating: "x", count: 1 << 20))
    }
    #expect(try journal.count() == 0)
  }

  @Test func `a clock that goes back does not make a new state look older`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    test.clock.set(Instant(milliseconds: 0))
    let edited = try journal.edit(entry.id) { $0.content = "two" }
    #expect(edited.updatedAt > entry.updatedAt)
  }

  @Test func `a second journal is not made over the first`() throws {
    let entry = try test.create().write(content: "one")
    #expect(throws: JournalError.journalExists) { try test.create() }
    #expect(try test.open().entry(entry.id).content == "one")
  }

  @Test func `a locked journal shows nothing`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    journal.keys.lock()
    #expect(throws: JournalError.locked) { try journal.entry(entry.id) }
    #expect(throws: JournalError.locked) { try journal.list() }
    #expect(throws: JournalError.locked) { try journal.search("one") }
  }

  @Test func `an id can be cut short`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "one")
    let id = entry.id.description
    #expect(try journal.id(beginningWith: String(id.prefix(12))) == entry.id)
    #expect(throws: JournalError.noEntry) {
      try journal.id(beginningWith: (id.first == "0" ? "1" : "0") + id.dropFirst())
    }
    #expect(throws: JournalError.self) { try journal.id(beginningWith: "no hex") }
  }

  @Test func `C6: neither text nor title stands in any file`() throws {
    let journal = try test.create()
    try journal.write(title: "MARKERTITLE", content: "MARKERTEXT", tags: ["MARKERTAG"])
    _ = try journal.list()
    for name in try FileManager.default.contentsOfDirectory(atPath: test.home.folder.path) {
      let bytes = try Data(contentsOf: test.home.folder.appending(path: name))
      for marker in ["MARKERTITLE", "MARKERTEXT", "MARKERTAG", "markertext"] {
        #expect(bytes.range(of: Data(marker.utf8)) == nil, "\(marker) in \(name)")
      }
    }
  }

  @Test func `files are for their owner alone`() throws {
    let journal = try test.create()
    try journal.write(content: "one")
    let folder = test.home.folder.path
    #expect(try mode(folder) == 0o700)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
      #expect(try mode(folder + "/" + name) == 0o600, "\(name)")
    }
  }

  private func mode(_ path: String) throws -> Int? {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue
  }
}
