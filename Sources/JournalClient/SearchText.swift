// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow

/// The text that search looks through: folded, so that case and diacritics do not count.
///
/// A pack is a run of `id 16 ‖ i64 stamp ‖ u32 n ‖ folded text n`; where `n` is the largest number,
/// the text was too long and the record is opened instead.
enum SearchText {
  /// The most bytes in a pack; leaves room in a blob of 1 MiB.
  static let packBytes = 1_000_000
  private static let headerBytes = 28
  private static let largestText = 250_000
  static let tooLong = UInt32.max

  /// Packs for the entries among `changes`.
  static func packs(of changes: [CatalogChange]) -> [Plaintext] {
    var packs: [Plaintext] = []
    var writer = ByteWriter()
    for change in changes where change.entry != nil {
      let text = change.text
      let isTooLong = text.count > largestText
      if writer.bytes.count + headerBytes + text.count > packBytes {
        packs.append(Plaintext(copying: writer.bytes))
        writer = ByteWriter()
      }
      writer.put(change.id)
      writer.put(change.stamp)
      writer.put(isTooLong ? tooLong : UInt32(text.count))
      if !isTooLong { writer.put(raw: text) }
    }
    if !writer.bytes.isEmpty { packs.append(Plaintext(copying: writer.bytes)) }
    return packs
  }

  /// Everything of an entry that search finds: title, text and tags, folded.
  static func folded(_ entry: Entry) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(entry.content.utf8.count + entry.title.utf8.count + 16)
    Folding.append(entry.title, to: &text)
    text.append(0x0A)
    Folding.append(entry.content, to: &text)
    for tag in entry.tags {
      text.append(0x0A)
      Folding.append(tag, to: &text)
    }
    return text
  }

  /// An entry's place in a pack; `text` is `nil` where it was too long.
  struct Item {
    let id: ObjectID
    let stamp: Int64
    let text: Range<Int>?
    let end: Int
  }

  /// The item at `offset`; `nil` at the end.
  static func item(in bytes: Span<UInt8>, at offset: Int) -> Item? {
    guard let id = bytes.id(at: offset), let stamp: Int64 = bytes.integer(at: offset + 16),
      let count: UInt32 = bytes.integer(at: offset + 24)
    else { return nil }
    let start = offset + headerBytes
    if count == tooLong { return Item(id: id, stamp: stamp, text: nil, end: start) }
    guard Int(count) <= bytes.count - start else { return nil }
    let end = start + Int(count)
    return Item(id: id, stamp: stamp, text: start..<end, end: end)
  }

  /// How many entries' text lies in a pack.
  static func count(in bytes: Span<UInt8>) -> Int {
    var count = 0
    var place = 0
    while let item = item(in: bytes, at: place) {
      count += 1
      place = item.end
    }
    return count
  }
}
