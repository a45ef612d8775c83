// SPDX-License-Identifier: Apache-2.0
import Sodium
import Foundation
import Hummingbird
import ServiceLifecycle
import VaultProtocol

/// The feed: what changed since a cursor, now or as soon as something does.
extension VaultService {
  /// `GET /v1/changes?cursor=HEX&headsFrom=SEQ&limit=BYTES&wait=SECONDS&rows=0|1`.
  @Sendable func changes(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let question = try FeedQuestion(call)
    guard question.wait > 0 else {
      return try await answer(call, question, caller) ?? call.reply(.noContent)
    }
    let waiting = try waits.take(caller.user)
    defer { waiting.leave() }
    // Subscribed before the first look, so no move between the two is missed.
    let moves = store.signals.moves(of: caller.user)
    let end = ContinuousClock.now + .seconds(question.wait)
    while true {
      if let answer = try await answer(call, question, caller) { return answer }
      let moved = await metrics.countWaiting { await self.moved(moves, before: end) }
      if !moved { return call.reply(.noContent) }
    }
  }

  /// What there is now; nothing where that is nothing new.
  ///
  /// Looking and telling takes one of the user's places, waiting does not.
  private func answer(
    _ call: Call, _ question: FeedQuestion, _ caller: Caller
  ) async throws -> Response? {
    var call = call
    call.place = try places.take(caller.user)
    let page = try await page(question, caller)
    return question.isAnswered(emptyBy: page) ? nil : try reply(call, question, page)
  }

  private func page(_ question: FeedQuestion, _ caller: Caller) async throws -> FeedPage {
    var page = try await store.changes(question.request, caller: caller, now: clock())
    // The same seq under another head: a database brought back from a backup and written anew.
    if let known = question.knownHead, let cursor = question.request.cursor, cursor.record == nil,
      cursor.generation == page.vault.generation, cursor.seq == page.vault.head.seq,
      known != Array(page.vault.head.hash.bytes.prefix(FeedQuestion.knownBytes))
    {
      page.isReset = true
      page.rows = []
    }
    return page
  }

  private func reply(_ call: Call, _ question: FeedQuestion, _ page: FeedPage) throws -> Response {
    var changes = WireChanges()
    changes.generation = page.vault.generation
    changes.epoch = page.vault.epoch
    changes.seq = page.vault.head.seq
    if question.request.rowsOnly {
      changes.rows.reserveCapacity(page.rows.count * 56)
      for row in page.rows {
        changes.rows += row.record.bytes + bigEndian(row.revision) + row.hash.bytes
      }
    } else {
      changes.records = page.rows.map { row in
        var record = WireRecord()
        record.recordID = Data(row.record.bytes)
        record.revision = row.revision
        record.blob = row.blob ?? Data()
        record.blobHash = Data(row.hash.bytes)
        record.seq = row.seq
        return record
      }
    }
    changes.heads = page.heads.map { head in
      var wire = WireHead()
      wire.seq = head.seq
      wire.blob = head.blob
      return wire
    }
    changes.cursor = FeedQuestion.bytes(of: page.cursor, head: page.vault.head)
    changes.more = page.hasMore
    changes.reset = page.isReset
    changes.vault = WireVaultState(page.vault, withHead: false)
    return try call.reply(changes)
  }

  /// Whether something moved before `end`; costs no thread and no connection meanwhile.
  ///
  /// When the server is told to stop, nobody waits any longer.
  private func moved(_ moves: AsyncStream<Void>, before end: ContinuousClock.Instant) async -> Bool
  {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await moves.first { _ in true } != nil }
      group.addTask {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(until: end) }
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}

/// What a request asks of the feed.
private struct FeedQuestion {
  /// Bytes of the head's hash that a cursor carries.
  static let knownBytes = 8

  var request: FeedRequest
  var wait: Int
  /// The head that the cursor was given out under, the beginning of its hash.
  var knownHead: [UInt8]?

  /// - Throws: ``Problem/malformed``.
  init(_ call: Call) throws(ProblemResponse) {
    let page = UInt64(Limits.pageBytes)
    let limit = try call.query("limit", in: 1...UInt64.max).map { min($0, page) } ?? page
    let seconds = try call.query("wait", in: 0...UInt64.max) ?? 0
    wait = Int(min(seconds, UInt64(Limits.waitSeconds)))
    request = FeedRequest(
      cursor: nil, headsFrom: try call.query("headsFrom", in: 0...UInt64.max), limit: Int(limit),
      rowsOnly: try call.query("rows", in: 0...1) == 1)
    guard let text = call.request.uri.queryParameters.get("cursor"), !text.isEmpty else { return }
    guard let bytes = Hex.decode(text), [20, 36].contains(bytes.count) else {
      throw ProblemResponse(.malformed)
    }
    request.cursor = FeedCursor(
      generation: UInt32(truncatingIfNeeded: number(bytes[0..<4])), seq: number(bytes[4..<12]),
      record: bytes.count == 36 ? RecordID(bytes[20..<36]) : nil)
    knownHead = Array(bytes[12..<20])
  }

  /// `u32 generation ‖ u64 seq ‖ head's hash 8 ‖ record id (16, inside a seq)`.
  static func bytes(of cursor: FeedCursor, head: Head) -> Data {
    Data(
      bigEndian(cursor.generation) + bigEndian(cursor.seq) + head.hash.bytes.prefix(knownBytes)
        + (cursor.record?.bytes ?? []))
  }

  /// Whether `page` tells the client nothing: it has all rows and the head itself.
  func isAnswered(emptyBy page: FeedPage) -> Bool {
    request.cursor != nil && page.rows.isEmpty && !page.hasMore && !page.isReset
      && request.cursor?.seq == page.vault.head.seq
      && request.headsFrom ?? page.vault.head.seq == page.vault.head.seq
      // A wish to start over must be seen by whoever looks.
      && (wait > 0 || page.vault.startOver == nil)
  }
}
