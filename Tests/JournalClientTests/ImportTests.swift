// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import TestSupport
import Testing

@Suite struct ImportTests {
  let test = TestJournal()

  private func bring(
    _ json: String, into journal: Journal, _ options: ImportOptions = ImportOptions()
  ) throws -> ImportReport {
    var pieces = [Array(json.utf8)]
    return try journal.importJSON(options: options) { pieces.popLast() ?? [] }
  }

  @Test func `a plain array comes in once, whatever its ids look like`() throws {
    let journal = try test.create()
    let json = """
      [{"id": "279451b3-392c-537a-aa5c-a83e84b84412", "title": "A", "content": "one",
        "createdAt": "1660-01-10T21:00:00.000Z", "updatedAt": "1660-01-11T21:00:00.000Z"},
       {"id": 7, "content": "two"}, {"content": "three"}]
      """
    #expect(try bring(json, into: journal).added == 3)
    let again = try bring(json, into: journal)
    #expect(again.added == 0 && again.unchanged == 3)
    let summary = try #require(journal.list().last)
    let entry = try journal.entry(summary.id)
    #expect(entry.title == "A")
    #expect(entry.createdAt == Instant(iso8601: "1660-01-10T21:00:00Z"))
    #expect(entry.updatedAt == Instant(iso8601: "1660-01-11T21:00:00Z"))
    #expect(entry.id != ObjectID(hex: "279451b3392c537aaa5ca83e84b84412"), "a known id shows")
  }

  @Test func `the newer state wins and the older one goes to the history`() throws {
    let journal = try test.create()
    func state(_ text: String, _ day: Int) -> String {
      "[{\"id\": \"x\", \"content\": \"\(text)\", \"createdAt\": \"2020-01-01\", \"updatedAt\": \"2020-01-0\(day)\"}]"
    }
    _ = try bring(state("second", 2), into: journal)
    #expect(try bring(state("third", 3), into: journal).updated == 1)
    let id = try #require(journal.list().first?.id)
    #expect(try journal.entry(id).content == "third")
    #expect(try bring(state("first", 1), into: journal).older == 1)
    #expect(try journal.entry(id).content == "third")
    let texts = try journal.history(id).map { try journal.entry(id, revision: $0.revision).content }
    #expect(Set(texts) == ["first", "second", "third"])
    let revisions = try journal.history(id).count
    for (text, day) in [("first", 1), ("second", 2), ("third", 3)] {
      #expect(try bring(state(text, day), into: journal).unchanged == 1)
    }
    #expect(try journal.history(id).count == revisions)
    #expect(try journal.list().count == 1)
  }

  @Test func `a deleted entry lives again when its backup comes in`() throws {
    let journal = try test.create()
    let json = "[{\"id\": \"x\", \"content\": \"one\"}]"
    _ = try bring(json, into: journal)
    let id = try #require(journal.list().first?.id)
    try journal.delete(id)
    let kept = try bring(json, into: journal, ImportOptions(revivesDeleted: false))
    #expect(kept.revived == 0)
    #expect(try journal.count() == 0)
    #expect(try bring(json, into: journal).revived == 1)
    #expect(try journal.entry(id).content == "one")
  }

  @Test func `a dry run counts and changes nothing`() throws {
    let journal = try test.create()
    let report = try bring("[{\"content\": \"one\"}]", into: journal, ImportOptions(dryRun: true))
    #expect(report.added == 1)
    #expect(try journal.count() == 0)
  }

  @Test func `bad items are named and do not stop the rest`() throws {
    let journal = try test.create()
    let json = """
      [1, {"id": "a"}, {"id": "b", "content": "x", "createdAt": "yesterday"},
       {"id": {}, "content": "x"}, {"id": "c", "content": "good"},
       {"id": "d", "content": "\(String(repeating: "x", count: 1 << 20))"}]
      """
    let report = try bring(json, into: journal)
    #expect(report.added == 1)
    #expect(
      report.problems.map(\.place) == ["entry 1", "entry 2", "entry 3", "entry 4", "entry 6"])
    #expect(report.problems.allSatisfy { !$0.reason.isEmpty && !$0.reason.contains("xxx") })
  }

  @Test func `a file that breaks off gives what came before, and says so`() throws {
    let journal = try test.create()
    let report = try bring("[{\"content\": \"one\"}, {\"content\": \"tw", into: journal)
    #expect(report.added == 1)
    #expect(report.problems.count == 1)
  }

  @Test func `Day One, jrnl and Standard Notes are told by their members`() throws {
    let journal = try test.create()
    _ = try bring(
      """
      {"metadata": {"version": "1.0"}, "entries": [{"uuid": "ABCDEF00ABCDEF00ABCDEF00ABCDEF00",
        "creationDate": "2020-02-03T04:05:06Z", "modifiedDate": "2020-02-04T04:05:06Z",
        "timeZone": "America\\/New_York", "text": "# Head\\nBody 1\\\\. `a\\\\.b`", "tags": ["t"],
        "starred": true, "photos": [{"md5": "x"}]}]}
      """, into: journal)
    let dayOne = try journal.entry(#require(journal.list().first?.id))
    #expect(dayOne.title == "Head")
    #expect(dayOne.content == "Body 1. `a\\.b`")
    #expect(dayOne.timeZone == "America/New_York")
    #expect(dayOne.tags == ["t"])
    #expect(String(decoding: dayOne.source, as: UTF8.self).contains("\"starred\": true"))
    let jrnl = try bring(
      """
      {"tags": {"@x": 1}, "entries": [{"title": "T", "body": "B", "date": "2021-03-04",
        "time": "05:06", "tags": ["@x"], "starred": false}]}
      """, into: journal, ImportOptions(minutesFromUTC: 60))
    #expect(jrnl.added == 1)
    let first = try journal.entry(#require(journal.list().first?.id))
    #expect(first.createdAt == Instant(iso8601: "2021-03-04T04:06:00Z"))
    #expect(first.tags == ["x"])
    let notes = try bring(
      """
      {"version": "004", "items": [{"uuid": "u", "content_type": "Note",
        "created_at": "2022-01-01T00:00:00.000Z", "content": {"title": "N", "text": "note",
        "appData": {"org.standardnotes.sn": {"client_updated_at": "2022-02-01T00:00:00.000Z"}}}},
        {"uuid": "v", "content_type": "Tag", "content": {"title": "tag"}},
        {"uuid": "w", "content_type": "Note", "content": "004:abc"}]}
      """, into: journal)
    #expect(notes.added == 1 && notes.problems.count == 1)
    let note = try journal.entry(#require(journal.list().first?.id))
    #expect(note.updatedAt == Instant(iso8601: "2022-02-01"))
  }

  @Test func `what is exported comes in again as it was`() throws {
    let journal = try test.create()
    try journal.write(
      title: "quote \" and \\", content: "tab\t, null \u{0}, 🙂, e\u{301}",
      createdAt: Instant(milliseconds: -1),
      tags: ["a b", "ü"])
    _ = try bring(
      "[{\"id\": \"foreign\", \"content\": \"c\", \"mood\": [1.5, null]}]", into: journal)
    try journal.setAudioPreferences { ($0.volume, $0.muted) = (0.5, false) }
    try journal.addPlays([Play(trackID: "t", playedAt: Instant(milliseconds: 5))])
    try journal.setQueueState("{\"a\":  1}")
    var document: [UInt8] = []
    let report = try journal.exportJSON { document += $0 }
    #expect(report.entries == 2)
    #expect(report.bytes == document.count)
    #expect(try JSONSerialization.jsonObject(with: Data(document)) is [String: Any])
    let text = String(decoding: document, as: UTF8.self)
    #expect(try bring(text, into: journal).unchanged == 2)
    let other = TestJournal()
    let copy = try other.create()
    let brought = try bring(text, into: copy)
    #expect(brought.added == 2 && brought.problems.isEmpty && brought.otherRecords == 3)
    for summary in try journal.list() {
      let mine = try journal.entry(summary.id)
      #expect(try copy.entry(summary.id) == mine)
    }
    #expect(try copy.audioPreferences() == journal.audioPreferences())
    #expect(try copy.recentlyPlayed() == journal.recentlyPlayed())
    #expect(try copy.queueState() == "{\"a\":  1}")
    // A plain array that another program made of our document finds its records again.
    #expect(try bring(text, into: copy).unchanged == 2)
  }

  @Test func `our own document comes in whatever the order of its members`() throws {
    let journal = try test.create()
    let report = try bring(
      """
      {"entries": [{"content": "x", "createdAt": "2020-01-01", "title": "t",
      "id": "00112233445566778899aabbccddeeff"}], "version": 1, "format": "journal-vault"}
      """, into: journal)
    #expect(report.added == 1 && report.problems.isEmpty)
    #expect(try journal.list().map(\.id.description) == ["00112233445566778899aabbccddeeff"])
  }

  @Test func `a newer version's document is refused whatever the order of its members`() throws {
    let journal = try test.create()
    #expect(throws: JournalError.tooNew) {
      try bring(
        """
        {"version": 2, "entries": [{"content": "x", "id": "00112233445566778899aabbccddeeff"}],
        "format": "journal-vault"}
        """, into: journal)
    }
    #expect(try journal.list().isEmpty)
  }

  @Test func `random bytes and cut documents never trap`() throws {
    var random = SeededGenerator(for: #function)
    let journal = try test.create()
    let whole = Array(
      """
      {"format": "journal-vault", "version": 1, "entries": [{"id": "00112233445566778899aabbccddeeff",
      "title": "\\u00e9\\ud83d\\ude42", "content": "x", "createdAt": "-000001-01-01T00:00:00Z", "tags": ["a"],
      "updatedAt": 12e3, "source": "AAAA"}], "recentlyPlayed": [{"trackId": "t", "playedAt": "2020-01-01"}]}
      """.utf8)
    for _ in 0..<400 {
      var bytes = whole
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      // Pieces of any size, so that every place is once a border.
      var rest = bytes[...]
      do {
        _ = try journal.importJSON(options: ImportOptions(dryRun: true)) {
          defer { rest = rest.dropFirst(7) }
          return Array(rest.prefix(7))
        }
      } catch JournalError.tooNew {}
    }
    for deep in ["[", "{\"a\":"] {
      let report = try bring(String(repeating: deep, count: 100_000), into: journal)
      #expect(report.problems.count == 1)
    }
  }

  @Test func `the diary of Samuel Pepys comes in whole and once`() throws {
    guard let diary = SharedData.pepys else { return }
    let journal = try test.create()
    let report = try journal.importJSON(diary)
    #expect(report.added == 3415)
    #expect(report.problems.isEmpty)
    #expect(try journal.importJSON(diary).unchanged == 3415)
    #expect(try journal.count() == 3415)
    #expect(try journal.search("\"and so to bed\"").total > 100)
    #expect(
      try journal.list(ListQuery(limit: 1, oldestFirst: true)).first?.line
        == "Saturday 10 January 1660")
  }
}

/// The large test data that lies beside the project where there is any.
enum SharedData {
  /// The diary; `nil` on a machine that does not have it, which is said.
  static var pepys: URL? {
    let file = Repository.root.deletingLastPathComponent()
      .appending(path: "shared/data/pepys-diary.json")
    if FileManager.default.fileExists(atPath: file.path) { return file }
    print("not run: the import of the diary, ../shared/data is not here")
    return nil
  }
}
