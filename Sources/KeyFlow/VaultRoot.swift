// SPDX-License-Identifier: Apache-2.0
import Sodium

/// One row of the vault as the server states it: 56 bytes `record id ‖ u64 revision ‖ blobHash`.
public struct Row: Equatable, Sendable {
  /// Bytes in a row.
  public static let count = 56

  /// The record.
  public let id: ObjectID
  /// Its newest revision.
  public let revision: UInt64
  /// The hash of that revision's blob.
  public let hash: Digest

  /// A row of its parts.
  public init(id: ObjectID, revision: UInt64, hash: Digest) {
    self.id = id
    self.revision = revision
    self.hash = hash
  }

  /// The row's 56 bytes; `nil` for another length, or a revision of 2^63 or more.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.count, bytes[16] & 0x80 == 0 else { return nil }
    self.init(id: bytes.id(at: 0), revision: bytes.integer(at: 16), hash: bytes.digest(at: 24))
  }

  /// `record id ‖ u64 revision ‖ blobHash`.
  public var bytes: [UInt8] { id.bytes + bigEndian(revision) + hash.bytes }
}

/// The two-level root over all rows: an edit rehashes one bucket of 256, not the vault (SPEC §8).
///
/// `bucket_b = SHA-512("KF1-bucket" ‖ u8 b ‖ u32 n_b ‖ sorted rows)[0..32)`,
/// `root = SHA-512("KF1-root" ‖ u32 n ‖ bucket_0 … bucket_255)[0..32)`.
public struct VaultRoot: Sendable {
  private var buckets: [[Row]]
  private var hashes: [Digest?]

  /// How many rows there are.
  public private(set) var count = 0

  /// A root over no rows.
  public init() {
    buckets = [[Row]](repeating: [], count: 256)
    hashes = [Digest?](repeating: nil, count: 256)
  }

  /// A root over `rows`; `nil` where a record stands twice.
  public init?(_ rows: some Sequence<Row>) {
    self.init()
    var stated = 0
    for row in rows {
      set(row)
      stated += 1
    }
    guard stated == count else { return nil }
  }

  /// Puts `row` in the place of the row with its id, or in its own new place.
  public mutating func set(_ row: Row) {
    let bucket = row.id.bucket
    hashes[bucket] = nil
    let position = place(of: row.id, in: bucket)
    if position < buckets[bucket].count, buckets[bucket][position].id == row.id {
      buckets[bucket][position] = row
    } else {
      buckets[bucket].insert(row, at: position)
      count += 1
    }
  }

  /// The row of `id`.
  public func row(_ id: ObjectID) -> Row? {
    let position = place(of: id, in: id.bucket)
    let rows = buckets[id.bucket]
    return position < rows.count && rows[position].id == id ? rows[position] : nil
  }

  /// All rows, by id.
  public var rows: [Row] { buckets.flatMap { $0 } }

  /// The root of the present rows.
  public mutating func digest() -> Digest {
    var joined = Array("KF1-root".utf8) + bigEndian(UInt32(count))
    for bucket in buckets.indices { joined += hash(of: bucket).bytes }
    return Digest(of: joined)
  }

  private mutating func hash(of bucket: Int) -> Digest {
    if let known = hashes[bucket] { return known }
    let rows = buckets[bucket]
    var joined = Array("KF1-bucket".utf8) + [UInt8(bucket)] + bigEndian(UInt32(rows.count))
    for row in rows { joined += row.bytes }
    let hash = Digest(of: joined)
    hashes[bucket] = hash
    return hash
  }

  /// Where `id` stands, or would stand, in the sorted bucket.
  private func place(of id: ObjectID, in bucket: Int) -> Int {
    let rows = buckets[bucket]
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
