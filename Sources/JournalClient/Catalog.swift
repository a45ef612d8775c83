// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium

/// A change that the catalog has not seen yet; `entry` is `nil` where there is none to show.
struct CatalogChange: Sendable {
  let id: ObjectID
  let stamp: Int64
  let entry: Entry?
  /// What search looks through, folded.
  let text: [UInt8]
  /// Its kind, where it is alive and of another kind than an entry.
  let otherKind: RecordKind?
}

/// What lets a device list and search without opening every record: the list index and the search
/// text, derived from the records and sealed as local items.
///
/// Reading it costs one pass over about 100 bytes an entry. Its absence or damage is never an
/// error: it is made again from the records. The list lies in buckets by record id, so that a
/// change rewrites one; the text in packs by order of change, so that a change appends.
struct Catalog: Sendable {
  /// The stamp up to which changes are in here.
  private(set) var covered: Int64
  /// The stored directory that this was read from; `nil` for none.
  private(set) var source: ObjectID?
  /// How many entries there are.
  private(set) var count: Int
  /// `2^bits` buckets; each holds the items of the record ids that begin with its number.
  private(set) var buckets: [Plaintext]
  /// The stored text packs, oldest first.
  private(set) var packs: [CatalogPack]
  /// Text of changes since `source`, not stored yet.
  private(set) var newText: [Plaintext]
  /// The living records of other kinds.
  private(set) var others: [ObjectID: RecordKind]
  /// Buckets that differ from the stored ones.
  private(set) var dirty: Set<Int>
  /// Changes since `source`.
  private(set) var unsaved: Int

  /// Entries a bucket holds, about.
  private static let bucketEntries = 512
  private static let largestBits = 12

  /// A catalog of nothing.
  init() {
    self.init(covered: 0, source: nil, count: 0, buckets: [.empty], packs: [], others: [:])
  }

  init(
    covered: Int64, source: ObjectID?, count: Int, buckets: [Plaintext], packs: [CatalogPack],
    others: [ObjectID: RecordKind]
  ) {
    self.others = others
    self.covered = covered
    self.source = source
    self.count = count
    self.buckets = buckets
    self.packs = packs
    newText = []
    dirty = []
    unsaved = 0
  }

  /// Brings in changes, in the order of their stamps.
  mutating func add(_ changes: [CatalogChange]) {
    guard let last = changes.last else { return }
    var latest: [ObjectID: CatalogChange] = [:]
    for change in changes {
      latest[change.id] = change
      others[change.id] = change.otherKind
    }
    if count + latest.count > buckets.count * Self.bucketEntries * 2 { split(for: latest.count) }
    for (bucket, changes) in Dictionary(grouping: latest.values, by: { self.bucket(of: $0.id) }) {
      rewrite(bucket, with: changes)
    }
    newText += SearchText.packs(of: changes.filter { latest[$0.id]?.stamp == $0.stamp })
    covered = last.stamp
    unsaved += changes.count
  }

  /// Calls `body` with each item and the bytes that it lies in.
  func forEachItem(_ body: (CatalogItem, Span<UInt8>) -> Void) {
    for bucket in buckets {
      bucket.bytes.withBytes { bytes in
        var place = 0
        while let item = CatalogItem(bytes, at: place) {
          body(item, bytes)
          place = item.range.upperBound
        }
      }
    }
  }

  /// Notes that this is stored under `source` now.
  mutating func stored(as source: ObjectID, packs: [CatalogPack]) {
    self.source = source
    self.packs = packs
    newText = []
    dirty = []
    unsaved = 0
  }

  /// Notes that this is to take the place of the stored one, which is of no use.
  mutating func replaces(_ source: ObjectID?) {
    self.source = source
    dirty = Set(buckets.indices)
  }

  private func bucket(of id: ObjectID) -> Int {
    let bytes = id.bytes
    let bits = buckets.count.trailingZeroBitCount
    return (Int(bytes[0]) << 8 | Int(bytes[1])) >> (16 - bits)
  }

  /// Puts `changes` into a bucket in the place of what it said of their records.
  private mutating func rewrite(_ bucket: Int, with changes: [CatalogChange]) {
    let changed = Set(changes.map(\.id))
    var writer = ByteWriter(capacity: buckets[bucket].count + changes.count * 128)
    var kept = 0
    var found = 0
    buckets[bucket].bytes.withBytes { bytes in
      var place = 0
      // Runs of unchanged items are copied as one.
      var run = 0
      while let item = CatalogItem(bytes, at: place) {
        if changed.contains(item.id) {
          writer.put(copying: bytes.extracting(run..<place))
          run = item.range.upperBound
        } else {
          kept += 1
        }
        found += 1
        place = item.range.upperBound
      }
      writer.put(copying: bytes.extracting(run..<place))
    }
    for change in changes {
      guard let entry = change.entry else { continue }
      CatalogItem.write(entry, stamp: change.stamp, to: &writer)
      kept += 1
    }
    count += kept - found
    buckets[bucket] = Plaintext(copying: writer.bytes)
    dirty.insert(bucket)
  }

  /// Makes more buckets, for `more` entries to come.
  private mutating func split(for more: Int) {
    var bits = buckets.count.trailingZeroBitCount
    while bits < Self.largestBits, (count + more) > Self.bucketEntries << bits { bits += 1 }
    guard 1 << bits > buckets.count else { return }
    var writers = [ByteWriter](repeating: ByteWriter(), count: 1 << bits)
    forEachItem { item, bytes in
      let id = item.id.bytes
      let bucket = (Int(id[0]) << 8 | Int(id[1])) >> (16 - bits)
      writers[bucket].put(copying: bytes.extracting(item.range))
    }
    buckets = writers.map { Plaintext(copying: $0.bytes) }
    dirty = Set(buckets.indices)
  }
}

/// A stored pack of search text.
struct CatalogPack: Equatable, Sendable {
  /// Its number, part of its item's name.
  let number: UInt32
  /// The oid of its item: another one under its name is not it.
  let oid: ObjectID
  /// How many entries' text lies in it, those changed since among them.
  let items: UInt32
  /// Bytes of its content.
  let size: UInt32

  /// The name of its item.
  var name: String { "catalog/text/\(number)" }
}
