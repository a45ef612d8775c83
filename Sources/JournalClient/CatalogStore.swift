// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium

// The catalog as local items: `catalog` is its directory, `catalog/list/N` its buckets,
// `catalog/text/N` its packs. The directory names each item's oid, so that an item put in
// another's place, or an older one, is not taken for it.
//
// Directory: u8 1 ‖ i64 covered ‖ u32 count ‖ u8 bits ‖ 2^bits × oid ‖ u16 packs × (u32 number ‖
// oid ‖ u32 items ‖ u32 size) ‖ u16 others × (u8 kind ‖ record id).
extension Catalog {
  private static let directory = "catalog"
  private static let version: UInt8 = 1

  private static func bucketName(_ bucket: Int) -> String { "catalog/list/\(bucket)" }

  /// The oid of the stored directory; it is another one after every change.
  static func storedSource(_ store: StoreTransaction) throws(JournalError) -> ObjectID? {
    try store.itemOID(directory)
  }

  /// The stored catalog; `nil` where there is none, or any part of it is not as it was stored.
  static func load(
    _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> Catalog? {
    guard let source = try store.itemOID(directory),
      let content = try store.item(directory, oid: source, with: keys)
    else { return nil }
    let parsed = content.withBytes { parse($0) }
    guard let parsed else { return nil }
    var buckets: [Plaintext] = []
    for (number, oid) in parsed.buckets.enumerated() {
      guard let bucket = try store.item(bucketName(number), oid: oid, with: keys) else {
        return nil
      }
      buckets.append(Plaintext(bucket))
    }
    return Catalog(
      covered: parsed.covered, source: source, count: parsed.count, buckets: buckets,
      packs: parsed.packs, others: parsed.others)
  }

  private struct Directory {
    var covered: Int64
    var count: Int
    var buckets: [ObjectID] = []
    var packs: [CatalogPack] = []
    var others: [ObjectID: RecordKind] = [:]
  }

  private static func parse(_ bytes: Span<UInt8>) -> Directory? {
    guard bytes.integer(at: 0, as: UInt8.self) == version,
      let covered: Int64 = bytes.integer(at: 1), let count: UInt32 = bytes.integer(at: 9),
      let bits: UInt8 = bytes.integer(at: 13), bits <= 12
    else { return nil }
    var directory = Directory(covered: covered, count: Int(count))
    var place = 14
    for _ in 0..<1 << Int(bits) {
      guard let oid = bytes.id(at: place) else { return nil }
      directory.buckets.append(oid)
      place += ObjectID.count
    }
    guard let packs: UInt16 = bytes.integer(at: place) else { return nil }
    place += 2
    for _ in 0..<packs {
      guard let number: UInt32 = bytes.integer(at: place), let oid = bytes.id(at: place + 4),
        let items: UInt32 = bytes.integer(at: place + 20),
        let size: UInt32 = bytes.integer(at: place + 24)
      else { return nil }
      directory.packs.append(CatalogPack(number: number, oid: oid, items: items, size: size))
      place += 28
    }
    guard let others: UInt16 = bytes.integer(at: place) else { return nil }
    place += 2
    for _ in 0..<others {
      guard let kind: UInt8 = bytes.integer(at: place), let id = bytes.id(at: place + 1) else {
        return nil
      }
      directory.others[id] = RecordKind(rawValue: kind)
      place += 17
    }
    return place == bytes.count ? directory : nil
  }

  /// Stores what changed, in one transaction with finding that nobody else did meanwhile.
  ///
  /// - Returns: Whether it was stored.
  mutating func save(
    _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> Bool {
    guard try store.itemOID(Self.directory) == source else { return false }
    if dirty.count == buckets.count, packs.isEmpty {
      // Begun anew: nothing of what was stored is used.
      try store.dropItems(prefix: Self.directory)
    }
    var packs = packs
    if packs.reduce(0, { $0 + Int($1.items) }) > count + count / 2 + 1000 {
      // Much of the text is of entries that changed since: begin anew, from the records.
      try store.dropItems(prefix: Self.directory)
      return false
    }
    for text in newText {
      packs.append(try Self.save(text, after: packs.last, &packs, store, keys))
    }
    var writer = ByteWriter()
    writer.put(Self.version)
    writer.put(covered)
    writer.put(UInt32(clamping: count))
    writer.put(UInt8(buckets.count.trailingZeroBitCount))
    for (number, bucket) in buckets.enumerated() {
      let name = Self.bucketName(number)
      if !dirty.contains(number), let oid = try store.itemOID(name) {
        writer.put(oid)
      } else {
        writer.put(try store.setItem(name, bucket.bytes, with: keys))
      }
    }
    writer.put(UInt16(clamping: packs.count))
    for pack in packs {
      writer.put(pack.number)
      writer.put(pack.oid)
      writer.put(pack.items)
      writer.put(pack.size)
    }
    let others = others.prefix(Int(UInt16.max))
    writer.put(UInt16(others.count))
    for (id, kind) in others {
      writer.put(kind.rawValue)
      writer.put(id)
    }
    let content = SecretBytes(copying: writer.bytes.span, in: .heap)
    let source = try store.setItem(Self.directory, content, with: keys)
    stored(as: source, packs: packs)
    return true
  }

  /// Stores new text: behind that of the last pack where both fit one, else as a pack of its own.
  private static func save(
    _ text: Plaintext, after last: CatalogPack?, _ packs: inout [CatalogPack],
    _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> CatalogPack {
    let items = text.bytes.withBytes { SearchText.count(in: $0) }
    let size = UInt32(text.count)
    if let last, Int(last.size) + text.count <= SearchText.packBytes,
      let before = try store.item(last.name, oid: last.oid, with: keys)
    {
      var writer = ByteWriter(capacity: before.count + text.count)
      before.withBytes { writer.put(copying: $0) }
      text.bytes.withBytes { writer.put(copying: $0) }
      packs.removeLast()
      let joined = SecretBytes(copying: writer.bytes.span, in: .heap)
      let oid = try store.setItem(last.name, joined, with: keys)
      return CatalogPack(
        number: last.number, oid: oid, items: last.items + UInt32(items), size: last.size + size)
    }
    let number = (last?.number ?? 0) &+ 1
    let oid = try store.setItem("catalog/text/\(number)", text.bytes, with: keys)
    return CatalogPack(number: number, oid: oid, items: UInt32(items), size: size)
  }
}
