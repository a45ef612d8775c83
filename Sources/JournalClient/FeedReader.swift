// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import VaultProtocol

/// What changed in the vault, as the server states it, read to the end; nothing is believed yet.
struct FeedReading {
  /// Whether ``rows`` are all rows of the vault, not only those that changed.
  var isWhole: Bool
  /// The rows in order of arrival; a later one of the same record counts.
  var rows: [Row] = []
  /// The blobs that came with rows and have their hashes, by record.
  var blobs: [ObjectID: SealedRevision] = [:]
  /// The last page, whose heads and cursor are those of the whole.
  var last = WireChanges()

  /// The most rows that are read before the server is taken for a liar.
  private static let mostRows = 4_000_000

  /// Adds a page.
  ///
  /// - Throws: ``APIError/garbled`` for whatever is not of the contract.
  mutating func add(_ page: WireChanges, rowsOnly: Bool) throws(APIError) {
    if rowsOnly {
      guard page.records.isEmpty, page.rows.count.isMultiple(of: Row.count) else { throw .garbled }
      let bytes = [UInt8](page.rows)
      for start in stride(from: 0, to: bytes.count, by: Row.count) {
        guard let row = Row(bytes.span.extracting(start..<start + Row.count)) else {
          throw .garbled
        }
        try add(row)
      }
    } else {
      guard page.rows.isEmpty else { throw .garbled }
      for record in page.records {
        let row = try Row(record)
        try add(row)
        blobs[row.id] = try SealedRevision(record, of: row)
      }
    }
    guard rows.count <= Self.mostRows, page.cursor.count <= 1_024 else { throw .garbled }
    last = page
  }

  private mutating func add(_ row: Row) throws(APIError) {
    guard row.revision > 0, row.revision <= UInt64(Int64.max) else { throw .garbled }
    rows.append(row)
  }
}

extension Row {
  /// The row that a record of the wire states.
  ///
  /// - Throws: ``APIError/garbled`` for ids or hashes of another length.
  init(_ record: WireRecord) throws(APIError) {
    guard let id = ObjectID(record.recordID), let hash = Digest(record.blobHash) else {
      throw .garbled
    }
    self.init(id: id, revision: record.revision, hash: hash)
  }
}

extension SealedRevision {
  /// The revision in `record`; `nil` where its blob does not hash to what `row` says, or is none.
  ///
  /// - Throws: ``APIError/garbled`` for what is larger than any blob.
  init?(_ record: WireRecord, of row: Row) throws(APIError) {
    guard record.blob.count <= Limits.blobBytes else { throw .garbled }
    let blob = [UInt8](record.blob)
    guard Digest(ofBlob: blob.span) == row.hash, let header = try? BlobHeader(blob.span) else {
      return nil
    }
    self.init(
      id: row.id, revision: row.revision, epoch: header.epoch, hash: row.hash, blob: blob)
  }
}

extension VaultAPI {
  /// Reads the feed from `cursor` to its end; `nil` when nothing changed.
  ///
  /// `first` is a page that a waiting request got already. With `rowsOnly` there are rows without
  /// blobs; so there are on every page after the first, since a change that large is verified
  /// before its blobs are fetched.
  func read(
    cursor: [UInt8], pin: UInt64, rowsOnly: Bool, first: WireChanges? = nil
  ) async throws(APIError) -> FeedReading? {
    var feed = Feed(cursor: cursor, headsFrom: pin, rowsOnly: rowsOnly || cursor.isEmpty)
    var reading = FeedReading(isWhole: cursor.isEmpty)
    var waiting = first
    while true {
      let page: WireChanges
      if let got = waiting {
        page = got
      } else if let got = try await changes(feed) {
        page = got
      } else {
        guard feed.cursor == cursor, !cursor.isEmpty else { throw .garbled }
        return nil
      }
      waiting = nil
      if page.reset {
        guard !reading.isWhole else { throw .garbled }
        feed.cursor = []
        feed.rowsOnly = true
        reading = FeedReading(isWhole: true)
        continue
      }
      let before = reading.rows.count
      try reading.add(page, rowsOnly: feed.rowsOnly)
      guard page.more else { return reading }
      guard reading.rows.count > before, Data(feed.cursor) != page.cursor else { throw .garbled }
      feed.cursor = [UInt8](page.cursor)
      feed.rowsOnly = true
    }
  }
}
