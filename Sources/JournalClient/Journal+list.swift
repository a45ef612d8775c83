// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
import Sodium

/// Which entries a list is to hold, and in what order.
public struct ListQuery: Equatable, Sendable {
  /// At most so many; `nil` for all.
  public var limit: Int?
  /// Only entries about a moment in here.
  public var during: Range<Instant>?
  /// Only entries with this tag; case does not count.
  public var tag: String?
  /// The oldest first.
  public var oldestFirst: Bool

  /// A query; without arguments, for everything, newest first.
  public init(
    limit: Int? = nil, during: Range<Instant>? = nil, tag: String? = nil, oldestFirst: Bool = false
  ) {
    self.limit = limit
    self.during = during
    self.tag = tag
    self.oldestFirst = oldestFirst
  }
}

extension Journal {
  /// Entries as a list shows them, by the moment they are about.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func list(_ query: ListQuery = ListQuery()) throws(JournalError) -> [EntrySummary] {
    let catalog = try catalog()
    let tag = query.tag?.lowercased()
    let chosen = catalog.places { item, bytes in
      if let during = query.during, !during.contains(item.createdAt) { return false }
      guard let tag else { return true }
      return item.hasTags && item.tags(in: bytes).contains { $0.lowercased() == tag }
    }
    return catalog.summaries(of: chosen, limit: query.limit, oldestFirst: query.oldestFirst)
  }

  /// How many entries there are.
  ///
  /// - Throws: As ``list(_:)``.
  public func count() throws(JournalError) -> Int {
    try catalog().count
  }

  /// Every tag with how many entries have it, the most used first.
  ///
  /// - Throws: As ``list(_:)``.
  public func tags() throws(JournalError) -> [(tag: String, count: Int)] {
    var counts: [String: Int] = [:]
    try catalog().forEachItem { item, bytes in
      guard item.hasTags else { return }
      for tag in item.tags(in: bytes) { counts[tag, default: 0] += 1 }
    }
    return counts.map { ($0.key, $0.value) }
      .sorted { ($1.count, $0.tag) < ($0.count, $1.tag) }
  }

  /// One entry by chance; `nil` in an empty journal.
  ///
  /// - Throws: As ``list(_:)``.
  public func random() throws(JournalError) -> EntrySummary? {
    let catalog = try catalog()
    guard let place = catalog.places(where: { _, _ in true }).randomElement() else { return nil }
    return catalog.summaries(of: [place], limit: 1, oldestFirst: false).first
  }

  /// The entry whose id begins with `prefix`, in hex; hyphens and case do not count.
  ///
  /// - Throws: `noEntry`, `ambiguous`, `badInput` for what is no hex.
  public func id(beginningWith prefix: String) throws(JournalError) -> ObjectID {
    let wanted = prefix.lowercased().filter { $0 != "-" }
    guard !wanted.isEmpty, wanted.count <= 32, wanted.allSatisfy({ $0.isHexDigit }) else {
      throw .badInput("an id is up to 32 hexadecimal digits")
    }
    var found: [ObjectID] = []
    try catalog().forEachItem { item, _ in
      if item.id.description.hasPrefix(wanted) { found.append(item.id) }
    }
    guard let id = found.first else { throw .noEntry }
    guard found.count == 1 else { throw .ambiguous(count: found.count) }
    return id
  }
}

extension Catalog {
  /// Where an item lies, with what it is ordered by.
  struct Place {
    let createdAt: Instant
    let id: ObjectID
    let bucket: Int
    let offset: Int
  }

  /// The places of all items that `isWanted`.
  func places(where isWanted: (CatalogItem, Span<UInt8>) -> Bool) -> [Place] {
    var places: [Place] = []
    places.reserveCapacity(count)
    for (bucket, content) in buckets.enumerated() {
      content.bytes.withBytes { bytes in
        var offset = 0
        while let item = CatalogItem(bytes, at: offset) {
          if isWanted(item, bytes) {
            places.append(
              Place(createdAt: item.createdAt, id: item.id, bucket: bucket, offset: offset))
          }
          offset = item.range.upperBound
        }
      }
    }
    return places
  }

  /// The summaries of the first `limit` of `places` in the order asked for.
  func summaries(of places: [Place], limit: Int?, oldestFirst: Bool) -> [EntrySummary] {
    let before: (Place, Place) -> Bool = { a, b in
      a.createdAt != b.createdAt ? a.createdAt < b.createdAt : a.id < b.id
    }
    let inOrder: (Place, Place) -> Bool = { a, b in oldestFirst ? before(a, b) : before(b, a) }
    var chosen = places
    let limit = max(0, min(limit ?? places.count, places.count))
    if limit < places.count {
      chosen = Self.first(limit, of: places, by: inOrder)
    } else {
      chosen.sort(by: inOrder)
    }
    return chosen.compactMap { place in
      buckets[place.bucket].bytes.withBytes { bytes in
        CatalogItem(bytes, at: place.offset)?.summary(in: bytes)
      }
    }
  }

  /// The first `limit` places in order, in one pass for a small limit.
  private static func first(
    _ limit: Int, of places: [Place], by inOrder: (Place, Place) -> Bool
  ) -> [Place] {
    guard limit > 0 else { return [] }
    var kept: [Place] = []
    var last: Place?
    for place in places {
      // What stands behind as many as are wanted is not among them.
      if let last, !inOrder(place, last) { continue }
      kept.append(place)
      if kept.count >= limit * 8 {
        kept.sort(by: inOrder)
        kept.removeLast(kept.count - limit)
        last = kept.last
      }
    }
    kept.sort(by: inOrder)
    return Array(kept.prefix(limit))
  }
}
