// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

/// Blobs that the verified vault lists and the server does not give, or not now.
@Suite struct WithholdingTests {
  /// Hands out no blob of the record `id`; before each time that one is asked for, `before` is done.
  private func withholding(
    _ id: ObjectID, before: (@Sendable () async throws -> Bool)? = nil
  ) -> TestVault.Fault {
    { request, honest in
      let target = Data(id.bytes)
      switch request.uri.path {
      case Route.changes:
        let answer = try await honest(request)
        guard answer.status == .ok else { return answer }
        var changes = try WireChanges(serializedBytes: try await answer.bytes())
        for index in changes.records.indices where changes.records[index].recordID == target {
          changes.records[index].blob = Data()
        }
        return .message(try changes.serializedBytes())
      case Route.recordsFetch:
        if let before, try await !before() { return nil }
        let answer = try await honest(request)
        var fetched = try WireRecordsFetched(serializedBytes: try await answer.bytes())
        fetched.records.removeAll { $0.recordID == target }
        if !fetched.moved.contains(target) { fetched.moved.append(target) }
        return .message(try fetched.serializedBytes())
      default: return nil
      }
    }
  }

  @Test func `an entry that is withheld stays wanted, and what was changed in it here waits`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "a\nb\nc").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "A\nb\nc" }
      try pair.a.journal.write(title: "u", content: "from a")
      try await pair.a.engine.sync()
      try pair.b.journal.edit(id) { $0.content = "a\nb\nC" }
      try pair.b.journal.write(title: "v", content: "from b")
      vault.lie(withholding(id))
      for _ in 0..<2 {
        await #expect(throws: JournalError.withheld(ids: [id])) { try await pair.b.engine.sync() }
        let status = try pair.b.journal.syncStatus()
        #expect(status.pending == 1 && status.missing == 1 && status.damaged.isEmpty)
        #expect(status.fault == .withheld)
        #expect(try pair.b.entries() == ["t: a\nb\nC", "u: from a", "v: from b"])
      }
      vault.lie(nil)
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: A\nb\nC", "u: from a", "v: from b"])
      #expect(try pair.agree())
      #expect(try pair.b.journal.syncStatus().fault == nil)
    }
  }

  @Test func `a row that moves on twice while its blob is asked for is merged all the same`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "a\nb\nc").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "1\nb\nc" }
      try await pair.a.engine.sync()
      try pair.b.journal.edit(id) { $0.content = "a\nb\nC" }
      let asked = Mutex(0)
      vault.lie(
        withholding(id) {
          let count = asked.withLock { (count) in
            count += 1
            return count
          }
          guard count <= 2 else { return false }
          try pair.a.journal.edit(id) { $0.content = "\(count + 1)\nb\nc" }
          try await pair.a.engine.sync()
          return true
        })
      let report = try await pair.b.engine.sync()
      #expect(report.merges == [MergeNote(id: id, outcome: .merged)])
      #expect(report.damaged.isEmpty)
      vault.lie(nil)
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: 3\nb\nC"])
      #expect(try pair.agree())
    }
  }

  @Test func `the cloud copy is not deleted while it withholds an entry`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "only there").id
      try await pair.a.engine.sync()
      vault.lie(withholding(id))
      await #expect(throws: JournalError.withheld(ids: [id])) {
        try await pair.b.engine.deleteCloudData(password: password())
      }
      vault.lie(nil)
      _ = try await pair.b.engine.deleteCloudData(password: password())
      #expect(try pair.b.entries() == ["t: only there"])
    }
  }

  @Test func `what a merge did is in the log, whatever becomes of the rest of that sync`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "a\nb\nc").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "A\nb\nc" }
      try await pair.a.engine.sync()
      try pair.b.journal.edit(id) { $0.content = "a\nb\nC" }
      vault.lie { request, _ in request.uri.path == Route.commits ? .cut : nil }
      await #expect(throws: JournalError.offline(.cut)) { try await pair.b.engine.sync() }
      vault.lie(nil)
      try await pair.settle()
      let merges = try pair.b.journal.activity(limit: 100).filter { $0.what == .merged }
      #expect(merges.map(\.record) == [id])
    }
  }
}
