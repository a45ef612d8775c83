// SPDX-License-Identifier: Apache-2.0

/// Three-way merge of texts: by line, and where lines clash, by word (diff3).
///
/// Works on bytes and gives back what was typed, byte for byte. A word carries the white space
/// after it, so two changes that touch each other clash instead of being glued together.
enum TextMerge {
  /// The most that two differing middles may compare, lines × lines: beyond it nothing is merged.
  private static let largestComparison = 4_000_000

  /// `base` with the changes of `mine` and of `theirs`; `nil` where they clash.
  ///
  /// Symmetric in `mine` and `theirs`.
  static func merge(base: String, mine: String, theirs: String) -> String? {
    let merged = merge(
      base: lines(Array(base.utf8)), mine: lines(Array(mine.utf8)),
      theirs: lines(Array(theirs.utf8))
    ) { base, mine, theirs in
      merge(
        base: words(Array(base.joined())), mine: words(Array(mine.joined())),
        theirs: words(Array(theirs.joined()))
      ) { _, _, _ in nil }
    }
    // Cut at ASCII bytes alone, so still UTF-8.
    return merged.map { String(decoding: $0, as: UTF8.self) }
  }

  private typealias Token = ArraySlice<UInt8>
  private typealias Tokens = ArraySlice<Token>

  private static func merge(
    base: [Token], mine: [Token], theirs: [Token],
    clash: (Tokens, Tokens, Tokens) -> [UInt8]?
  ) -> [UInt8]? {
    guard let inMine = matches(of: base, in: mine), let inTheirs = matches(of: base, in: theirs)
    else { return nil }
    var merged: [UInt8] = []
    var from = (base: 0, mine: 0, theirs: 0)
    /// What lies between the last common token and the next.
    func take(_ to: (base: Int, mine: Int, theirs: Int)) -> Bool {
      let (base, mine) = (base[from.base..<to.base], mine[from.mine..<to.mine])
      let theirs = theirs[from.theirs..<to.theirs]
      if mine.elementsEqual(theirs) || theirs.elementsEqual(base) {
        merged += mine.joined()
      } else if mine.elementsEqual(base) {
        merged += theirs.joined()
      } else if let resolved = clash(base, mine, theirs) {
        merged += resolved
      } else {
        return false
      }
      return true
    }
    for index in base.indices {
      guard let mineIndex = inMine[index], let theirsIndex = inTheirs[index] else { continue }
      guard take((index, mineIndex, theirsIndex)) else { return nil }
      merged += base[index]
      from = (index + 1, mineIndex + 1, theirsIndex + 1)
    }
    return take((base.count, mine.count, theirs.count)) ? merged : nil
  }

  /// Where each token of `base` stands in `other`, rising, `nil` where it does not; `nil` for all
  /// when the two are too large and too different to compare.
  private static func matches(of base: [Token], in other: [Token]) -> [Int?]? {
    let shorter = min(base.count, other.count)
    let head = zip(base, other).prefix { $0 == $1 }.count
    let tail = zip(base[head...].reversed(), other[head...].reversed())
      .prefix(shorter - head).prefix { $0 == $1 }.count
    let (baseEnd, otherEnd) = (base.count - tail, other.count - tail)
    guard (baseEnd - head) * (otherEnd - head) <= largestComparison else { return nil }
    var places = [Int?](repeating: nil, count: base.count)
    for index in 0..<head { places[index] = index }
    for offset in 0..<tail { places[baseEnd + offset] = otherEnd + offset }
    let difference = other[head..<otherEnd].difference(from: base[head..<baseEnd])
    var removed = Set<Int>()
    var inserted = Set<Int>()
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset + head)
      case .insert(let offset, _, _): inserted.insert(offset + head)
      }
    }
    var place = head
    for index in head..<baseEnd where !removed.contains(index) {
      while inserted.contains(place) { place += 1 }
      places[index] = place
      place += 1
    }
    return places
  }

  /// Lines with their line feeds.
  private static func lines(_ text: [UInt8]) -> [Token] {
    tokens(text) { byte, _ in byte == 0x0A }
  }

  /// Words with the white space that follows them.
  private static func words(_ text: [UInt8]) -> [Token] {
    tokens(text) { byte, next in isSpace(byte) && !isSpace(next) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  /// `text`, cut after each byte of which `isEnd` says so, given the next byte.
  private static func tokens(_ text: [UInt8], isEnd: (UInt8, UInt8) -> Bool) -> [Token] {
    var tokens: [Token] = []
    var start = 0
    for index in text.indices.dropLast() where isEnd(text[index], text[index + 1]) {
      tokens.append(text[start...index])
      start = index + 1
    }
    if start < text.count { tokens.append(text[start...]) }
    return tokens
  }
}
