// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Testing

/// An entry that somebody else changes while it is open in an editor.
@Suite struct EditingTests {
  let test = TestJournal()

  /// An open entry of two paragraphs, and how it reads after `meanwhile` and the save of `text`.
  private func edited(
    to text: String, meanwhile: (Journal, Entry) throws -> Void
  ) throws -> (journal: Journal, first: Entry, saved: Entry, outcome: EditOutcome) {
    let journal = try test.create()
    let first = try journal.write(title: "t", content: "one\n\ntwo")
    let opened = try journal.open(first.id)
    try meanwhile(try test.open(), first)
    var mine = opened.entry
    mine.content = text
    let (saved, outcome) = try journal.save(mine, over: opened)
    return (journal, first, saved, outcome)
  }

  @Test func `an edit of an entry that nobody else changed is its next state`() throws {
    let end = try edited(to: "one!\n\ntwo") { _, _ in }
    #expect(end.outcome == .saved)
    #expect(try end.journal.entry(end.first.id).content == "one!\n\ntwo")
    #expect(try end.journal.history(end.first.id).map(\.revision) == [2, 1])
  }

  @Test func `changes in different places are both in the entry`() throws {
    let end = try edited(to: "one!\n\ntwo") { other, first in
      try other.edit(first.id) { $0.content = "one\n\ntwo?" }
    }
    #expect(end.outcome == .merged)
    #expect(try end.journal.entry(end.first.id).content == "one!\n\ntwo?")
    #expect(end.saved.content == "one!\n\ntwo?")
  }

  @Test func `a title that changed meanwhile stays changed`() throws {
    let end = try edited(to: "one!\n\ntwo") { other, first in
      try other.edit(first.id) { $0.title = "retitled" }
    }
    #expect(end.saved.title == "retitled" && end.saved.content == "one!\n\ntwo")
  }

  @Test func `changes of the same words are both kept`() throws {
    let end = try edited(to: "mine\n\ntwo") { other, first in
      try other.edit(first.id) { $0.content = "theirs\n\ntwo" }
    }
    #expect(end.outcome == .copied)
    #expect(try end.journal.entry(end.first.id).content == "theirs\n\ntwo")
    let copy = try end.journal.entry(end.saved.id)
    #expect(copy.content == "mine\n\ntwo" && copy.conflictOf == end.first.id)
  }

  @Test func `an edit of an entry that was deleted meanwhile brings it back`() throws {
    let end = try edited(to: "one!\n\ntwo") { other, first in try other.delete(first.id) }
    #expect(end.outcome == .revived)
    #expect(try end.journal.entry(end.first.id).content == "one!\n\ntwo")
  }
}
