// SPDX-License-Identifier: Apache-2.0

/// The little that importers must know of markdown.
enum Markdown {
  /// A leading `# heading` as the title, and the text below it.
  static func splitHeading(_ text: String) -> (title: String, content: String) {
    let trimmed = text.drop { $0.isNewline }
    let line = trimmed.prefix { !$0.isNewline }
    let marks = line.prefix { $0 == "#" }.count
    guard (1...6).contains(marks), line.dropFirst(marks).first == " " else { return ("", text) }
    let title = line.dropFirst(marks).drop { $0 == " " }
    return (String(title), String(trimmed.dropFirst(line.count).drop { $0.isNewline }))
  }

  /// `text` without the backslashes that Day One puts before punctuation; code stays as it is.
  static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    let escaped = Set(".()!-[]+#*_{}<>`~|>\\".utf8)
    var out: [UInt8] = []
    var inFence = false
    for (number, line) in text.utf8.split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).enumerated() {
      if number > 0 { out.append(UInt8(ascii: "\n")) }
      if line.starts(with: "```".utf8) { inFence.toggle() }
      var inCode = false
      var index = line.startIndex
      while index < line.endIndex {
        let byte = line[index]
        let next = line.index(after: index)
        if byte == UInt8(ascii: "`") { inCode.toggle() }
        if byte == UInt8(ascii: "\\"), !inFence, !inCode, next < line.endIndex,
          escaped.contains(line[next])
        {
          out.append(line[next])
          index = line.index(after: next)
          continue
        }
        out.append(byte)
        index = next
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
