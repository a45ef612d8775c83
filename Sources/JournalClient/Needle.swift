// SPDX-License-Identifier: Apache-2.0

/// A folded term to look for, prepared once: Boyer–Moore–Horspool (1980) over bytes.
struct Needle: Sendable {
  private let bytes: [UInt8]
  /// How far to go on when the byte under the term's end is this one.
  private let skips: [Int]

  /// A term that is not empty.
  init?(_ term: String) {
    let folded = Folding.fold(term)
    guard !folded.isEmpty else { return nil }
    bytes = folded
    var skips = [Int](repeating: folded.count, count: 256)
    for (index, byte) in folded.dropLast().enumerated() {
      skips[Int(byte)] = folded.count - 1 - index
    }
    self.skips = skips
  }

  /// The terms of a query: words, all of which must be there, and "phrases in quotes".
  static func terms(of query: String) -> [Needle] {
    var terms: [String] = []
    for (index, part) in query.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
    {
      if index % 2 == 1 {
        terms.append(String(part))
      } else {
        terms += part.split(whereSeparator: \.isWhitespace).map(String.init)
      }
    }
    return terms.compactMap { Needle($0) }
  }

  /// Where the term begins in `range` of `text`; `nil` where it is not there.
  func first(in text: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let last = bytes.count - 1
    let needle = bytes.span
    let skips = skips.span
    let end = needle[last]
    var place = range.lowerBound + last
    while place < range.upperBound {
      let byte = text[place]
      if byte == end {
        var index = last
        while index > 0, text[place - last + index - 1] == needle[index - 1] { index -= 1 }
        if index == 0 { return place - last }
      }
      place += skips[Int(byte)]
    }
    return nil
  }
}
