// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Sodium
import TestSupport
import Testing

@Suite struct ImportFormatTests {
  let test = TestJournal()
  let folder = TestJournal()

  private func write(_ text: String, _ name: String) throws -> URL {
    let file = folder.home.folder.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }

  private func passphrase(_ text: String) -> SecretBytes {
    SecretBytes(copying: Array(text.utf8).span)
  }

  @Test func `jrnl text comes in by its dates, local times and tags`() throws {
    let journal = try test.create()
    let file = try write(
      """
      [2026-11-24 03:00:51 PM] A title. *
      First line @home
      [not a date] stays text
      second #Work line

      [2020-01-02 00:30] Other
      [2020-01-03 12:15:00 AM] Midnight
      """, "journal.txt")
    let options = ImportOptions(minutesFromUTC: 60)
    let report = try journal.importFile(file, options: options)
    #expect(report.added == 3 && report.problems.isEmpty)
    let entries = try journal.list().map { try journal.entry($0.id) }
    #expect(entries.map(\.title) == ["A title.", "Midnight", "Other"])
    #expect(
      entries.map(\.createdAt.iso8601) == [
        "2026-11-24T14:00:51.000Z", "2020-01-02T23:15:00.000Z", "2020-01-01T23:30:00.000Z",
      ])
    #expect(entries[0].content == "First line @home\n[not a date] stays text\nsecond #Work line")
    #expect(entries[0].tags == ["home", "work"])
    #expect(try journal.importFile(file, options: options).unchanged == 3)
  }

  @Test func `a folder of markdown comes in with its front matter`() throws {
    let journal = try test.create()
    _ = try write(
      """
      ---
      title: "A: title"
      date: 2021-05-06T07:08:09+02:00
      lastmod: 2021-06-01
      tags:
        - "#one"
        - two words
      mood: fine
      ---

      # Heading
      Body
      """, "a/first.md")
    _ = try write("# From heading\nText", "2019-03-04.md")
    _ = try write("no title", "notes/plain.md")
    _ = try write("ignored", "a/picture.txt")
    let link = folder.home.folder.appending(path: "link.md")
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: URL(filePath: "/etc/passwd"))
    let report = try journal.importFile(folder.home.folder)
    #expect(report.added == 3)
    let entries = Dictionary(
      uniqueKeysWithValues: try journal.list().map { ($0.line, try journal.entry($0.id)) })
    let first = try #require(entries["A: title"])
    #expect(first.content == "# Heading\nBody")
    #expect(first.createdAt.iso8601 == "2021-05-06T05:08:09.000Z")
    #expect(first.updatedAt.iso8601 == "2021-06-01T00:00:00.000Z")
    #expect(first.tags == ["one", "two words"])
    #expect(String(decoding: first.source, as: UTF8.self).contains("mood: fine"))
    #expect(entries["From heading"]?.createdAt.iso8601 == "2019-03-04T00:00:00.000Z")
    #expect(entries["plain"]?.content == "no title")
    #expect(try journal.importFile(folder.home.folder).unchanged == 3)
  }

  @Test func `Joplin's raw export comes in with its tags`() throws {
    let journal = try test.create()
    let note = String(repeating: "a", count: 32)
    let tag = String(repeating: "b", count: 32)
    let link = String(repeating: "c", count: 32)
    _ = try write(
      """
      The title

      Body: with a colon
      ![picture](:/dddddddddddddddddddddddddddddddd)

      id: \(note)
      created_time: 2020-01-01T00:00:00.000Z
      user_created_time: 2019-01-01T00:00:00.000Z
      user_updated_time: 2019-02-01T00:00:00.000Z
      type_: 1
      """, "\(note).md")
    _ = try write("my tag\n\nid: \(tag)\ntype_: 5", "\(tag).md")
    _ = try write("id: \(link)\nnote_id: \(note)\ntag_id: \(tag)\ntype_: 6", "\(link).md")
    let report = try journal.importFile(folder.home.folder)
    #expect(report.added == 1 && report.attachments == 1)
    let entry = try journal.entry(#require(journal.list().first?.id))
    #expect(entry.title == "The title")
    #expect(entry.content.hasPrefix("Body: with a colon\n!["))
    #expect(entry.tags == ["my tag"])
    #expect(entry.createdAt.iso8601 == "2019-01-01T00:00:00.000Z")
  }

  @Test func `an archive and an encrypted export are told for what they are`() throws {
    let journal = try test.create()
    for beginning in ["PK\u{3}\u{4}xxxx", "KFX1xxxx"] {
      let file = try write(beginning, "file.bin")
      #expect(throws: JournalError.self) { try journal.importFile(file) }
    }
    #expect(throws: JournalError.self) {
      try journal.importFile(folder.home.folder.appending(path: "absent"))
    }
  }

  @Test func `an encrypted export comes in whole, or is refused`() async throws {
    let journal = try test.create()
    let entry = try journal.write(title: "MARKER", content: "text", tags: ["a"])
    try journal.write(content: "two")
    try journal.delete(try journal.write(content: "deleted").id)
    try journal.addPlays([Play(trackID: "t", playedAt: Instant(milliseconds: 5))])
    let file = test.home.folder.appending(path: "export.kfx")
    let report = try await journal.exportContainer(
      to: file, passphrase: passphrase("correct horse"), profileID: 1)
    #expect(report.entries == 2)
    var bytes = try Data(contentsOf: file)
    #expect(bytes.count == report.bytes)
    #expect(bytes.range(of: Data("MARKER".utf8)) == nil)

    let copy = try folder.create()
    await #expect(throws: JournalError.wrongPassword) {
      try await copy.importContainer(file, passphrase: passphrase("wrong"))
    }
    let brought = try await copy.importContainer(file, passphrase: passphrase("correct horse"))
    #expect(brought.added == 2 && brought.otherRecords == 1)
    #expect(try copy.entry(entry.id) == entry)
    #expect(try copy.recentlyPlayed() == journal.recentlyPlayed())
    let again = try await copy.importContainer(file, passphrase: passphrase("correct horse"))
    #expect(again.added == 0 && again.unchanged == 2)

    bytes.removeLast(700)
    try bytes.write(to: file)
    await #expect(throws: JournalError.self) {
      try await copy.importContainer(file, passphrase: passphrase("correct horse"))
    }
  }
}
