// SPDX-License-Identifier: Apache-2.0
import Foundation
import SwiftProtobuf

/// Three-way merge of an entry: texts by ``TextMerge``, tags as a set, the other fields whole.
enum EntryMerge {
  /// The merged content; `nil` where changes clash, or one is not an entry.
  static func merge(base: [UInt8], mine: [UInt8], theirs: [UInt8]) -> [UInt8]? {
    guard let base = try? PayloadEntry(serializedBytes: base),
      let mine = try? PayloadEntry(serializedBytes: mine),
      let theirs = try? PayloadEntry(serializedBytes: theirs),
      let title = TextMerge.merge(base: base.title, mine: mine.title, theirs: theirs.title),
      let content = TextMerge.merge(
        base: base.content, mine: mine.content, theirs: theirs.content),
      let createdAt = whole(base.createdAt, mine.createdAt, theirs.createdAt),
      let timeZone = whole(base.timeZone, mine.timeZone, theirs.timeZone),
      let source = whole(base.source, mine.source, theirs.source),
      let sourceID = whole(base.sourceID, mine.sourceID, theirs.sourceID),
      let conflictOf = whole(base.conflictOf, mine.conflictOf, theirs.conflictOf),
      // What a newer version wrote is taken whole from the side that changed it.
      let unknown = whole(base.unknownFields, mine.unknownFields, theirs.unknownFields)
    else { return nil }
    var merged = theirs
    merged.title = title
    merged.content = content
    merged.createdAt = createdAt
    merged.timeZone = timeZone
    merged.source = source
    merged.sourceID = sourceID
    merged.conflictOf = conflictOf
    merged.unknownFields = unknown
    merged.tags = tags(base.tags, mine.tags, theirs.tags)
    // The side that has it all already keeps its own bytes.
    if let same = [theirs, mine].first(where: { $0 == merged }) { merged = same }
    return try? merged.serializedBytes()
  }

  /// A field that is taken whole; `nil` where both changed it, and not to the same.
  private static func whole<Value: Equatable>(
    _ base: Value, _ mine: Value, _ theirs: Value
  ) -> Value? {
    if mine == theirs || mine == base { return theirs }
    return theirs == base ? mine : nil
  }

  /// What is left of the base on both sides, then what either added; the order is the same on
  /// every device.
  private static func tags(_ base: [String], _ mine: [String], _ theirs: [String]) -> [String] {
    if mine == base { return theirs }
    if theirs == base { return mine }
    let kept = base.filter { mine.contains($0) && theirs.contains($0) }
    let added = Set(mine + theirs).subtracting(base).sorted()
    return kept + added
  }
}
