// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The words that a session gave names to, such as <<id>>.
struct NamedWords {
  private(set) var words: [String: String]

  init(_ words: [String: String]) {
    self.words = words
  }

  /// `text` with the words known so far in the place of their names.
  func filled(_ text: String) -> String {
    words.reduce(text) { $0.replacingOccurrences(of: "<<\($1.key)>>", with: $1.value) }
  }

  /// Whether `actual` is what `expected` describes; new names get their words.
  mutating func match(_ actual: [String], _ expected: [String]) -> Bool {
    guard let pattern = expected.first else { return actual.isEmpty }
    if pattern == "..." {
      let rest = Array(expected.dropFirst())
      for start in 0...actual.count {
        var trial = self
        if trial.match(Array(actual[start...]), rest) {
          self = trial
          return true
        }
      }
      return false
    }
    guard let line = actual.first, match(line: line, pattern) else { return false }
    return match(Array(actual.dropFirst()), Array(expected.dropFirst()))
  }

  private mutating func match(line: String, _ pattern: String) -> Bool {
    var names: [String] = []
    var form = "^"
    var rest = filled(pattern)[...]
    while !rest.isEmpty {
      if rest.hasPrefix("…") {
        form += ".*"
        rest = rest.dropFirst()
      } else if rest.hasPrefix("<<"), let end = rest.range(of: ">>") {
        names.append(String(rest[rest.index(rest.startIndex, offsetBy: 2)..<end.lowerBound]))
        form += "(\\S+)"
        rest = rest[end.upperBound...]
      } else {
        form += NSRegularExpression.escapedPattern(for: String(rest.removeFirst()))
      }
    }
    guard let regex = try? NSRegularExpression(pattern: form + "$"),
      let found = regex.firstMatch(in: line, range: NSRange(line.startIndex..., in: line))
    else { return false }
    for (index, name) in names.enumerated() {
      guard let range = Range(found.range(at: index + 1), in: line) else { return false }
      words[name] = String(line[range])
    }
    return true
  }
}
