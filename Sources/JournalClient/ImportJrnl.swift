// SPDX-License-Identifier: Apache-2.0

/// Reads jrnl's text format: entries that begin with `[date] title` at the beginning of a line.
enum ImportJrnl {
  /// The entries in `text`; what stands before the first date is no entry.
  static func items(_ text: String, minutesFromUTC: Int) -> [ImportItem] {
    var items: [ImportItem] = []
    var body: [Substring] = []
    func finish() {
      guard !items.isEmpty else { return }
      let content = body.joined(separator: "\n")
      items[items.count - 1].content = trimmed(content)
      items[items.count - 1].tags = tags(in: items[items.count - 1].title + " " + content)
      body = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.last == "\r" ? line.dropLast() : line
      guard let (date, rest) = header(line) else {
        body.append(line)
        continue
      }
      finish()
      body = []
      var item = ImportItem(place: "entry \(items.count + 1)")
      item.createdAt = Instant(milliseconds: date - Int64(minutesFromUTC) * 60_000)
      let isStarred = rest.hasSuffix("*")
      item.title = trimmed(String(isStarred ? rest.dropLast() : rest))
      if isStarred { item.source = Array("{\"starred\": true}".utf8) }
      items.append(item)
    }
    finish()
    return items
  }

  /// The local moment and the rest of a line that begins an entry.
  private static func header(_ line: Substring) -> (milliseconds: Int64, rest: Substring)? {
    guard line.first == "[", let end = line.firstIndex(of: "]"),
      line.distance(from: line.startIndex, to: end) < 40
    else { return nil }
    var text = line[line.index(after: line.startIndex)..<end]
    var shift: Int64 = 0
    for (suffix, isAfternoon) in [(" AM", false), (" PM", true)] where text.hasSuffix(suffix) {
      text = text.dropLast(3)
      guard let hour = Int(text.dropFirst(11).prefix(2)), (1...12).contains(hour) else {
        return nil
      }
      if isAfternoon, hour < 12 { shift = 12 }
      if !isAfternoon, hour == 12 { shift = -12 }
    }
    guard let instant = Instant(iso8601: text) else { return nil }
    return (instant.milliseconds + shift * 3_600_000, line[line.index(after: end)...])
  }

  /// Words that begin with `@` or `#`, without the sign, each once.
  private static func tags(in text: String) -> [String] {
    var tags: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace)
    where word.first == "@" || word.first == "#" {
      let name = word.dropFirst().prefix { $0.isLetter || $0.isNumber || "-_+*/".contains($0) }
      guard let first = name.first, first.isLetter || first.isNumber else { continue }
      let tag = name.lowercased()
      if !tags.contains(tag) { tags.append(tag) }
    }
    return tags
  }

  private static func trimmed(_ text: String) -> String {
    let start = text.drop { $0.isWhitespace }
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...end])
  }
}
