// SPDX-License-Identifier: Apache-2.0

/// The YAML block at the beginning of a markdown file: a safe subset, values stay text.
///
/// `key: value`, quoted or not, lists as `- x` lines or `[a, b]`; no anchors, tags or nesting.
struct FrontMatter {
  /// Values by their keys in lower case.
  private(set) var values: [String: [String]] = [:]
  /// The file without the block.
  let body: String
  /// The block as it stands, for what is not read.
  let raw: String

  /// Splits `text`; without a block everything is body.
  init(_ text: String) {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    guard lines.first == "---",
      let end = lines.dropFirst().firstIndex(where: { $0 == "---" || $0 == "..." })
    else {
      body = text
      raw = ""
      return
    }
    var rest = lines[(end + 1)...]
    if rest.first == "" { rest = rest.dropFirst() }
    body = rest.joined(separator: "\n")
    raw = lines[1..<end].joined(separator: "\n")
    var key = ""
    for line in lines[1..<end] {
      let text = line.drop { $0 == " " || $0 == "\t" }
      if text.hasPrefix("- "), !key.isEmpty {
        values[key, default: []].append(Self.plain(text.dropFirst(2)))
      } else if let colon = text.firstIndex(of: ":"), text.first != "#" {
        key = text[..<colon].lowercased()
        let value = text[text.index(after: colon)...]
        values[key] = Self.list(value)
      }
    }
  }

  /// The first value of the first of `keys` that has one.
  func first(_ keys: String...) -> String? {
    keys.lazy.compactMap { values[$0]?.first { !$0.isEmpty } }.first
  }

  /// All values of the first of `keys` that is there; a single text is split at commas.
  func all(_ keys: String...) -> [String]? {
    guard let found = keys.lazy.compactMap({ values[$0] }).first else { return nil }
    let parts = found.count == 1 ? found[0].split(separator: ",").map { Self.plain($0) } : found
    return parts.map { String($0.drop { $0 == "#" }) }.filter { !$0.isEmpty }
  }

  private static func list(_ value: Substring) -> [String] {
    let text = plain(value)
    guard text.hasPrefix("["), text.hasSuffix("]") else { return text.isEmpty ? [] : [text] }
    return text.dropFirst().dropLast().split(separator: ",").map { plain($0) }
  }

  /// Without the spaces around it and its quotes.
  private static func plain(_ text: some StringProtocol) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text = text.dropLast() }
    if let quote = text.first, quote == "\"" || quote == "'", text.count > 1, text.last == quote {
      text = text.dropFirst().dropLast()
    }
    return String(text)
  }
}
