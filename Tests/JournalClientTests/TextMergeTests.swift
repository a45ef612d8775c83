// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import JournalClient

@Suite struct TextMergeTests {
  @Test(arguments: [
    // base, mine, theirs, merged
    ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"),
    ("a\nb\nc", "a\nb\nc\nd", "0\na\nb\nc", "0\na\nb\nc\nd"),
    ("a\nb\nc\n", "a\nc\n", "a\nb\nc\nd\n", "a\nc\nd\n"),
    ("a\nb\n", "a\nx\nb\n", "a\nx\nb\n", "a\nx\nb\n"),
    ("", "", "new", "new"),
    (
      "the old cat sat down there\n", "the new cat sat down there\n",
      "the old cat sat down here\n", "the new cat sat down here\n"
    ),
    (
      "één\r\n-\r\ntwo\r\n", "één\r\n-\r\ntwo!\r\n", "Één\r\n-\r\ntwo\r\n",
      "Één\r\n-\r\ntwo!\r\n"
    ),
  ]) func `changes in different places come together`(
    base: String, mine: String, theirs: String, merged: String
  ) {
    #expect(TextMerge.merge(base: base, mine: mine, theirs: theirs) == merged)
    #expect(TextMerge.merge(base: base, mine: theirs, theirs: mine) == merged)
  }

  @Test(arguments: [
    ("a b c", "a x c", "a y c"),
    ("a\n", "a\nmine\n", "a\ntheirs\n"),
    ("", "mine", "theirs"),
    ("one two", "ONE two", "one TWO"),
    ("a\nb\nc\n", "a\nc\n", "a\nB\nc\n"),
    ("x", "", "y"),
    ("a\nb\n", "A\nb\n", "a\nB\n"),
  ]) func `changes that touch each other clash`(base: String, mine: String, theirs: String) {
    #expect(TextMerge.merge(base: base, mine: mine, theirs: theirs) == nil)
    #expect(TextMerge.merge(base: base, mine: theirs, theirs: mine) == nil)
  }

  @Test func `texts too different to compare are not merged`() {
    let base = (0..<3_000).map { "base \($0)" }.joined(separator: "\n")
    let mine = (0..<3_000).map { "mine \($0)" }.joined(separator: "\n")
    #expect(TextMerge.merge(base: base, mine: mine, theirs: base + "x") == nil)
  }

  @Test func `canonically equal texts of other bytes are different texts`() {
    let merged = TextMerge.merge(
      base: "e\u{301}\n-\nb\n", mine: "\u{E9}\n-\nb\n", theirs: "e\u{301}\n-\nB\n")
    #expect(merged.map { Array($0.utf8) } == Array("\u{E9}\n-\nB\n".utf8))
  }

  @Test func `a merge of random edits has every line that either side wrote, and is symmetric`() {
    var random = SeededGenerator(for: "TextMergeTests")
    var clean = 0
    for round in 0..<400 {
      let base = (0..<Int.random(in: 0...12, using: &random)).map { "line \($0)" }
      let mine = edited(base, "m\(round)", &random)
      let theirs = edited(base, "t\(round)", &random)
      let texts = [base, mine, theirs].map { $0.joined(separator: "\n") }
      let merged = TextMerge.merge(base: texts[0], mine: texts[1], theirs: texts[2])
      #expect(merged == TextMerge.merge(base: texts[0], mine: texts[2], theirs: texts[1]))
      #expect(TextMerge.merge(base: texts[0], mine: texts[1], theirs: texts[0]) == texts[1])
      #expect(TextMerge.merge(base: texts[0], mine: texts[1], theirs: texts[1]) == texts[1])
      guard let merged else { continue }
      clean += 1
      for line in Set(mine + theirs).subtracting(base) {
        #expect(merged.contains(line), "round \(round)")
      }
    }
    #expect(clean > 40)
  }

  private func edited(
    _ lines: [String], _ mark: String, _ random: inout SeededGenerator
  ) -> [String] {
    var lines = lines
    for number in 0..<Int.random(in: 0...2, using: &random) {
      let place = Int.random(in: 0...lines.count, using: &random)
      if Bool.random(using: &random), place < lines.count {
        lines[place] = "\(mark)-\(number)"
      } else {
        lines.insert("\(mark)-\(number)", at: place)
      }
    }
    return lines
  }
}
