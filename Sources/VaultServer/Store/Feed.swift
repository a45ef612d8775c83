// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// A place in the feed: after all rows of `seq`, or after `record` within them.
///
/// Rows are ordered by (seq, record id).
public struct FeedCursor: Hashable, Sendable {
  /// The generation that it belongs to: a cursor of another one is answered with a reset.
  public var generation: UInt32
  /// The last seq seen, wholly or in part.
  public var seq: UInt64
  /// The last record seen of `seq`; nothing when all were.
  public var record: RecordID?

  /// A place in the feed.
  public init(generation: UInt32, seq: UInt64, record: RecordID?) {
    self.generation = generation
    self.seq = seq
    self.record = record
  }
}

/// What to give of the feed.
public struct FeedRequest: Equatable, Sendable {
  /// Where the last page ended; nothing for the start.
  public var cursor: FeedCursor?
  /// The pinned head's seq, from which the chain is wanted; nothing for the newest head alone.
  public var headsFrom: UInt64?
  /// Bytes of blobs (or rows, 56 bytes each) in a page; one row is given even if it is larger.
  public var limit: Int
  /// Rows without blobs.
  public var rowsOnly: Bool

  /// A page to ask for.
  public init(cursor: FeedCursor?, headsFrom: UInt64?, limit: Int, rowsOnly: Bool) {
    self.cursor = cursor
    self.headsFrom = headsFrom
    self.limit = limit
    self.rowsOnly = rowsOnly
  }
}

/// A record's current state in the feed.
public struct FeedRow: Equatable, Sendable {
  /// The record.
  public var record: RecordID
  /// Its newest revision's number.
  public var revision: UInt64
  /// The head that it came with.
  public var seq: UInt64
  /// That revision's hash.
  public var hash: BlobHash
  /// That revision's blob; nothing when only rows were asked for.
  public var blob: Data?

  /// A row, with or without its blob.
  public init(record: RecordID, revision: UInt64, seq: UInt64, hash: BlobHash, blob: Data?) {
    self.record = record
    self.revision = revision
    self.seq = seq
    self.hash = hash
    self.blob = blob
  }
}

/// One page of the feed; everything in it is of one snapshot.
public struct FeedPage: Equatable, Sendable {
  /// The cursor was of another generation or ahead of the head: no rows; start again without one.
  public var isReset: Bool
  /// Where the vault stood at the snapshot.
  public var vault: VaultState
  /// Changed records in order of (seq, record id).
  public var rows: [FeedRow]
  /// From the head at `headsFrom` to the snapshot's head, both included, along the shortest way of
  /// previous and skip links; the snapshot's head alone where `headsFrom` is absent or not below it.
  public var heads: [Head]
  /// Where the next page begins.
  public var cursor: FeedCursor
  /// Whether rows of this snapshot are left after `rows`.
  public var hasMore: Bool

  /// A page.
  public init(
    isReset: Bool, vault: VaultState, rows: [FeedRow], heads: [Head], cursor: FeedCursor,
    hasMore: Bool
  ) {
    self.isReset = isReset
    self.vault = vault
    self.rows = rows
    self.heads = heads
    self.cursor = cursor
    self.hasMore = hasMore
  }
}

/// A blob asked for by its row.
public struct RowKey: Hashable, Sendable {
  /// The record.
  public var record: RecordID
  /// The hash in the row.
  public var hash: BlobHash

  /// A row's id and hash.
  public init(record: RecordID, hash: BlobHash) {
    self.record = record
    self.hash = hash
  }
}

/// The answer for one ``RowKey``.
public enum FetchedRow: Equatable, Sendable {
  /// The current revision, with the hash asked for.
  case current(Revision)
  /// The record now has another hash, or there is none.
  case moved(RecordID)
}

/// A record's revision without its blob.
public struct RevisionRow: Equatable, Sendable {
  /// The revision's number.
  public var number: UInt64
  /// Its blob's hash.
  public var hash: BlobHash
  /// Its blob's size.
  public var bytes: Int
  /// The head that it came with; 1 for all that a new beginning found.
  public var seq: UInt64

  /// A revision still kept.
  public init(number: UInt64, hash: BlobHash, bytes: Int, seq: UInt64) {
    self.number = number
    self.hash = hash
    self.bytes = bytes
    self.seq = seq
  }
}
