// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
import Sodium

/// What the list index holds of one entry:
/// `id 16 ‖ i64 stamp ‖ i64 created ‖ i64 updated ‖ u64 source key ‖ u8 flags ‖ u16 n ‖ line n ‖
/// u16 n ‖ tags n`, tags joined by line feeds.
struct CatalogItem {
  static let fixedBytes = 16 + 8 + 8 + 8 + 8 + 1 + 2
  static let lineBytes = 240

  /// Its place in a bucket, and where the next one begins.
  let range: Range<Int>
  let id: ObjectID
  let stamp: Int64
  let createdAt: Instant
  let updatedAt: Instant
  /// The first 8 bytes of a hash of the id that it was imported by; 0 for none.
  let sourceKey: UInt64
  private let flags: UInt8
  private let line: Range<Int>
  private let tagLine: Range<Int>

  private static let excerptFlag: UInt8 = 1
  private static let conflictFlag: UInt8 = 2

  /// Reads the item at `offset`; `nil` at the end.
  init?(_ bytes: Span<UInt8>, at offset: Int) {
    guard let id = bytes.id(at: offset), let stamp: Int64 = bytes.integer(at: offset + 16),
      let created: Int64 = bytes.integer(at: offset + 24),
      let updated: Int64 = bytes.integer(at: offset + 32),
      let sourceKey: UInt64 = bytes.integer(at: offset + 40),
      let flags: UInt8 = bytes.integer(at: offset + 48),
      let lineCount: UInt16 = bytes.integer(at: offset + 49)
    else { return nil }
    let lineStart = offset + Self.fixedBytes
    let lineEnd = lineStart + Int(lineCount)
    guard let tagCount: UInt16 = bytes.integer(at: lineEnd) else { return nil }
    let end = lineEnd + 2 + Int(tagCount)
    guard end <= bytes.count else { return nil }
    self.id = id
    self.stamp = stamp
    createdAt = Instant(milliseconds: created)
    updatedAt = Instant(milliseconds: updated)
    self.sourceKey = sourceKey
    self.flags = flags
    line = lineStart..<lineEnd
    tagLine = lineEnd + 2..<end
    range = offset..<end
  }

  /// Appends an item for `entry`.
  static func write(_ entry: Entry, stamp: Int64, to writer: inout ByteWriter) {
    var flags: UInt8 = 0
    var line = firstLine(of: entry.title)
    if line.isEmpty {
      line = firstLine(of: entry.content)
      flags |= excerptFlag
    }
    if entry.conflictOf != nil { flags |= conflictFlag }
    let tags = Array(entry.tags.joined(separator: "\n").utf8.prefix(Int(UInt16.max)))
    writer.put(entry.id)
    writer.put(stamp)
    writer.put(entry.createdAt.milliseconds)
    writer.put(entry.updatedAt.milliseconds)
    writer.put(entry.sourceKey)
    writer.put(flags)
    writer.put(UInt16(line.count))
    writer.put(raw: line)
    writer.put(UInt16(tags.count))
    writer.put(raw: tags)
  }

  /// The summary that is shown.
  func summary(in bytes: Span<UInt8>) -> EntrySummary {
    EntrySummary(
      id: id, line: bytes.text(line) ?? "", hasTitle: flags & Self.excerptFlag == 0,
      createdAt: createdAt, updatedAt: updatedAt, tags: tags(in: bytes),
      isConflictCopy: flags & Self.conflictFlag != 0)
  }

  /// The tags.
  func tags(in bytes: Span<UInt8>) -> [String] {
    guard !tagLine.isEmpty, let text = bytes.text(tagLine) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  /// Whether there are tags at all; much cheaper than reading them.
  var hasTags: Bool { !tagLine.isEmpty }

  /// The first line of `text` that is not blank, cut to the index's length at a character's end.
  private static func firstLine(of text: String) -> [UInt8] {
    var line: [UInt8] = []
    for byte in text.utf8 {
      if byte == 0x0A || byte == 0x0D {
        if line.isEmpty { continue }
        break
      }
      if line.isEmpty, byte == 0x20 { continue }
      line.append(byte)
      if line.count > lineBytes { break }
    }
    guard line.count > lineBytes else { return line }
    // Not in the middle of a character: a continuation byte is 10xxxxxx.
    var end = lineBytes
    while end > 0, line[end] & 0xC0 == 0x80 { end -= 1 }
    return Array(line[..<end])
  }
}

/// An entry as a list shows it.
public struct EntrySummary: Identifiable, Equatable, Sendable {
  /// The entry's id.
  public let id: ObjectID
  /// The title, or the beginning of the text where there is none; one line of at most 240 bytes.
  public let line: String
  /// Whether ``line`` is the title.
  public let hasTitle: Bool
  /// The moment that the entry is about.
  public let createdAt: Instant
  /// When it was last saved.
  public let updatedAt: Instant
  /// The tags.
  public let tags: [String]
  /// Whether a merge made it, since two edits could not be joined.
  public let isConflictCopy: Bool

  /// A summary of its parts.
  init(
    id: ObjectID, line: String, hasTitle: Bool, createdAt: Instant, updatedAt: Instant,
    tags: [String], isConflictCopy: Bool
  ) {
    self.id = id
    self.line = line
    self.hasTitle = hasTitle
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.tags = tags
    self.isConflictCopy = isConflictCopy
  }
}
