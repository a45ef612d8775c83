// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Takes case and diacritics off text: `É` and `é` become `e`, `’` becomes `'`, `ß` becomes `ss`.
enum Folding {
  /// Appends `text`, folded, as UTF-8; about a nanosecond for a byte of ASCII.
  static func append(_ text: String, to out: inout [UInt8]) {
    var text = text
    text.makeContiguousUTF8()
    let bytes = text.utf8.span
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      if byte < 0x80 {
        out.append(lowered(byte))
        place += 1
      } else {
        // A String's UTF-8 is valid; the bounds are checked all the same.
        let length = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        var value = UInt32(byte) & (0xFF >> (UInt32(length) + 1))
        for index in place + 1..<min(place + length, bytes.count) {
          value = value << 6 | UInt32(bytes[index] & 0x3F)
        }
        if let scalar = Unicode.Scalar(value) { out += folded(scalar) }
        place += length
      }
    }
  }

  /// `text`, folded.
  static func fold(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    append(text, to: &out)
    return out
  }

  private static func lowered(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// What stands for scalars U+0080…U+024F and U+2000…U+206F, made once.
  private static let latin: [[UInt8]] = (0x80...0x24F).map {
    decomposed(Unicode.Scalar(UInt16($0)))
  }
  private static let punctuation: [[UInt8]] = (0x2000...0x206F).map {
    decomposed(Unicode.Scalar(UInt16($0)))
  }

  private static func folded(_ scalar: Unicode.Scalar) -> [UInt8] {
    switch scalar.value {
    case 0x80...0x24F: latin[Int(scalar.value) - 0x80]
    case 0x2000...0x206F: punctuation[Int(scalar.value) - 0x2000]
    // Scripts without case and diacritics of this kind.
    case 0x2E80...0xD7FF, 0x20000...: Array(String(scalar).utf8)
    default: decomposed(scalar)
    }
  }

  private static let special: [Unicode.Scalar: String] = [
    "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ø": "o", "Ø": "o", "đ": "d",
    "Đ": "d", "ł": "l", "Ł": "l", "ı": "i", "þ": "th", "Þ": "th", "ð": "d", "Ð": "d", "‘": "'",
    "’": "'", "“": "\"", "”": "\"", "\u{A0}": " ", "\u{202F}": " ",
  ]

  private static func decomposed(_ scalar: Unicode.Scalar?) -> [UInt8] {
    guard let scalar else { return [] }
    if let known = special[scalar] { return Array(known.utf8) }
    let whole = String(scalar).lowercased().decomposedStringWithCanonicalMapping
    var kept = String.UnicodeScalarView()
    kept.append(contentsOf: whole.unicodeScalars.filter { !isMark($0) })
    return Array(String(kept).utf8)
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    (0x300...0x36F).contains(scalar.value)
  }
}
