// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import VaultProtocol

extension VaultAPI {
  /// What to ask of the feed.
  struct Feed: Sendable {
    /// Where the last page ended; empty for the start.
    var cursor: [UInt8] = []
    /// The seq of the pinned head; 0 for none.
    var headsFrom: UInt64 = 0
    /// Rows without blobs.
    var rowsOnly = false
    /// How long the server may hold the request until the head moves.
    var wait: Duration = .zero
    /// Blob bytes (or row bytes) wanted in a page.
    var limit = Limits.pageBytes
  }

  /// Where the vault stands.
  func vault() async throws(APIError) -> WireVaultState {
    try await message(Request("GET", Route.vault))
  }

  /// A page of the feed; `nil` when the wait ended and nothing had changed.
  func changes(_ feed: Feed) async throws(APIError) -> WireChanges? {
    var query = ["limit=\(feed.limit)"]
    if !feed.cursor.isEmpty { query.append("cursor=\(Hex.encode(feed.cursor))") }
    if feed.headsFrom > 0 { query.append("headsFrom=\(feed.headsFrom)") }
    if feed.rowsOnly { query.append("rows=1") }
    let wait = min(feed.wait.components.seconds, Int64(Limits.waitSeconds))
    if wait > 0 { query.append("wait=\(wait)") }
    var request = Request("GET", Route.changes + "?" + query.joined(separator: "&"))
    request.largest = Self.largestPage
    request.limit = .seconds(120 + wait)
    let answer = try await send(request)
    return answer.status == 204 ? nil : try Self.decode(answer.body)
  }

  /// Blobs by their rows, at most 1,000; the answer covers a prefix of them.
  func fetch(_ rows: [(id: ObjectID, hash: Digest)]) async throws(APIError) -> WireRecordsFetched {
    var body = WireRecordsFetch()
    body.rows = Data(rows.flatMap { $0.id.bytes + $0.hash.bytes })
    var request = Request("POST", Route.recordsFetch, body: Self.encode(body))
    request.largest = Self.largestPage
    request.limit = .seconds(120)
    return try await message(request)
  }

  /// A record's revisions still kept by the server.
  func revisions(of id: ObjectID) async throws(APIError) -> [WireRevision] {
    var request = Request("GET", "\(Route.records)/\(id)/revisions")
    request.largest = 4 << 20
    let list: WireRevisions = try await message(request)
    return list.revisions
  }

  /// One revision of a record still kept by the server.
  func revision(_ number: UInt64, of id: ObjectID) async throws(APIError) -> WireRecord {
    var request = Request("GET", "\(Route.records)/\(id)/revisions/\(number)")
    request.largest = Limits.blobBytes + 4_096
    return try await message(request)
  }

  /// Sends a commit and gives the new head's seq; `body` is a ``WireCommit``, sent as it is.
  func commit(_ body: [UInt8]) async throws(APIError) -> UInt64 {
    var request = Request("POST", Route.commits, body: body)
    request.limit = .seconds(120)
    let answer: WireCommitAccepted = try await message(request)
    return answer.seq
  }

  /// Deletes the cloud copy on condition of the verified head; `body` is a ``WireVaultDelete``.
  func deleteVault(_ body: [UInt8], head: Digest) async throws(APIError) -> WireReceipt {
    var request = Request("DELETE", Route.vault, body: body)
    request.ifMatch = head.bytes
    request.limit = .seconds(120)
    return try await message(request)
  }

  /// A page's blobs, or one blob larger than a page, with rows' other fields and a long chain.
  private static let largestPage = Limits.pageBytes + Limits.blobBytes + (2 << 20)
}
