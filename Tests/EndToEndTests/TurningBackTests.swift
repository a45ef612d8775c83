// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

/// A server that shows an entry as it was, in a vault that is otherwise as it is.
@Suite struct TurningBackTests {
  /// A changed an entry `saves` times since B saw it; B is shown it in the state that the server
  /// kept as `kept`-th of them, counted from the one that B has.
  private func turnBack(
    kept: Int, saves: Int, _ check: @escaping @Sendable (JournalError, ObjectID) throws -> Void
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "seen by both" }
      try await pair.settle()
      let states = Mutex<[WireRecord]>([])
      vault.lie { request, honest in
        guard request.uri.path == Route.changes, request.uri.queryParameters.get("rows") == nil
        else { return nil }
        let answer = try await honest(request)
        guard answer.status == .ok else { return answer }
        var changes = try WireChanges(serializedBytes: try await answer.bytes())
        guard let shown = states.withLock({ $0.dropFirst(kept).first }) else { return nil }
        for index in changes.records.indices where changes.records[index].recordID == shown.recordID
        {
          changes.records[index] = shown
        }
        return .message(try changes.serializedBytes())
      }
      let revisions = try pair.b.journal.history(id).map(\.revision).sorted()
      var record = WireRecord()
      record.recordID = Data(id.bytes)
      for revision in revisions {
        let blob = try pair.b.journal.rawBlob(id, revision: revision)
        record.revision = revision
        record.blob = Data(blob)
        record.blobHash = Data(Digest(ofBlob: blob.span).bytes)
        states.withLock { $0.append(record) }
      }
      for save in 0..<saves {
        try pair.a.journal.edit(id) { $0.content = "save \(save)" }
        try await pair.a.engine.sync()
      }
      let entries = try pair.b.entries()
      do {
        try await pair.b.engine.sync()
        Issue.record("the lie was believed")
      } catch let error as JournalError {
        try check(error, id)
      }
      #expect(try pair.b.entries() == entries)
      let log = try pair.b.journal.activity(limit: 10).filter { $0.what == .refused }
      #expect(log.map(\.record) == [id])
      vault.lie(nil)
      try await pair.settle()
      #expect(try pair.agree())
    }
  }

  @Test func `B3: an older state than the one seen is named`() async throws {
    try await turnBack(kept: 0, saves: 1) { error, id in
      #expect(error == .altered(entries: [AlteredEntry(id: id, .turnedBack)]))
    }
  }

  @Test func `the state that was seen, shown in the place of a newer one, is named`() async throws {
    try await turnBack(kept: 1, saves: 1) { error, id in
      #expect(error == .altered(entries: [AlteredEntry(id: id, .turnedBack)]))
    }
  }
}
