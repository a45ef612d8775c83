// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import VaultProtocol

/// Single records and their older revisions, and many records by their rows.
extension VaultService {
  /// `POST /v1/records/fetch`.
  @Sendable func fetchRecords(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let rows = try await call.message(WireRecordsFetch.self, .rows).rows
    guard rows.count.isMultiple(of: 48) else { throw ProblemResponse(.malformed) }
    guard rows.count <= 48 * Limits.fetchRecords else { throw ProblemResponse(.tooLarge) }
    var keys: [RowKey] = []
    var rest = rows[...]
    while let record = RecordID(rest.prefix(16)),
      let hash = BlobHash(rest.dropFirst(16).prefix(32))
    {
      keys.append(RowKey(record: record, hash: hash))
      rest = rest.dropFirst(48)
    }
    let answers = try await store.fetch(
      keys, limit: Limits.pageBytes, caller: caller, now: call.now)
    var fetched = WireRecordsFetched()
    fetched.answered = UInt32(answers.count)
    for answer in answers {
      switch answer {
      case .current(let revision): fetched.records.append(WireRecord(revision))
      case .moved(let record): fetched.moved.append(Data(record.bytes))
      }
    }
    return try call.reply(fetched)
  }

  /// `GET /v1/records/{id}`.
  @Sendable func record(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let record = try await store.record(call.recordID(), caller: caller, now: call.now)
    return try reply(call, record)
  }

  /// `GET /v1/records/{id}/revisions/{n}`.
  @Sendable func revision(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let revision = try await store.revision(
      call.number("n"), of: call.recordID(), caller: caller, now: call.now)
    return try reply(call, revision)
  }

  /// `GET /v1/records/{id}/revisions`: newest first.
  @Sendable func revisions(_ call: Call) async throws -> Response {
    let caller = try call.caller()
    let rows = try await store.revisions(of: call.recordID(), caller: caller, now: call.now)
    guard !rows.isEmpty else { throw ProblemResponse(.notFound) }
    var list = WireRevisions()
    list.revisions = rows.map { row in
      var wire = WireRevision()
      wire.revision = row.number
      wire.blobHash = Data(row.hash.bytes)
      wire.seq = row.seq
      wire.bytes = UInt32(clamping: row.bytes)
      return wire
    }
    return try call.reply(list)
  }

  private func reply(_ call: Call, _ revision: Revision?) throws(ProblemResponse) -> Response {
    guard let revision else { throw ProblemResponse(.notFound) }
    let tag = EntityTag.value(revision.hash)
    if EntityTag.isKnown(revision.hash, to: call.request) {
      return call.reply(.notModified, tag: tag)
    }
    return try call.reply(WireRecord(revision), tag: tag)
  }
}
