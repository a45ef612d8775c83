// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

@Suite struct DamageTests {
  /// Flips a byte of every blob of the record `id` that leaves the server.
  private func damaging(_ id: ObjectID) -> TestVault.Fault {
    { request, honest in
      let target = Data(id.bytes)
      switch request.uri.path {
      case Route.changes:
        let answer = try await honest(request)
        guard answer.status == .ok else { return answer }
        var changes = try WireChanges(serializedBytes: try await answer.bytes())
        for index in changes.records.indices where changes.records[index].recordID == target {
          changes.records[index].blob[300] ^= 1
        }
        return .message(try changes.serializedBytes())
      case Route.recordsFetch:
        let answer = try await honest(request)
        var fetched = try WireRecordsFetched(serializedBytes: try await answer.bytes())
        for index in fetched.records.indices where fetched.records[index].recordID == target {
          fetched.records[index].blob[300] ^= 1
        }
        return .message(try fetched.serializedBytes())
      default: return nil
      }
    }
  }

  @Test func `B3: a damaged blob is put aside, named, and in nobody's way`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "bad", content: "x").id
      try pair.a.journal.write(title: "good", content: "y")
      try await pair.a.engine.sync()
      vault.lie(damaging(id))
      let report = try await pair.b.engine.sync()
      #expect(report.damaged == [id])
      #expect(try pair.b.entries() == ["good: y"])
      #expect(try pair.b.journal.syncStatus().damaged == [id])
      #expect(
        try pair.a.journal.syncStatus().fingerprint == pair.b.journal.syncStatus().fingerprint)
    }
  }

  @Test func `B3: another genuine state in the place of the row's is not taken`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "first").id
      try await pair.settle()
      let c = try TestDevice()
      try await c.join(at: server)
      // The same revision, sealed by the owner too, that this vault never took.
      let other = try TestVault(copying: vault)
      let sealed = Mutex(Data())
      try await other.serve { elsewhere in
        try await pair.b.engine.move(to: elsewhere)
        try pair.b.journal.edit(id) { $0.content = "elsewhere" }
        other.lie { request, honest in
          guard request.uri.path == Route.commits else { return nil }
          var request = request
          let body = try await request.collectBody(upTo: 1 << 20)
          let commit = try WireCommit(serializedBytes: Array(body.readableBytesView))
          sealed.withLock { $0 = commit.records[0].blob }
          return try await honest(request)
        }
        try await pair.b.engine.sync()
      }
      try pair.a.journal.edit(id) { $0.content = "here" }
      try await pair.a.engine.sync()
      vault.lie { request, honest in
        let answer = try await honest(request)
        let blob = sealed.withLock { $0 }
        switch request.uri.path {
        case Route.changes where answer.status == .ok:
          var changes = try WireChanges(serializedBytes: try await answer.bytes())
          for index in changes.records.indices { changes.records[index].blob = blob }
          return .message(try changes.serializedBytes())
        case Route.recordsFetch:
          var fetched = try WireRecordsFetched(serializedBytes: try await answer.bytes())
          for index in fetched.records.indices { fetched.records[index].blob = blob }
          return .message(try fetched.serializedBytes())
        default: return answer
        }
      }
      let report = try await c.engine.sync()
      #expect(report.damaged == [id])
      #expect(try c.entries() == ["t: first"])
    }
  }

  @Test func `the cloud copy is not deleted while a record of it is damaged, unless that is known`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "bad", content: "x").id
      try await pair.a.engine.sync()
      vault.lie(damaging(id))
      await #expect(throws: JournalError.damaged(ids: [id])) {
        try await pair.b.engine.deleteCloudData(password: password())
      }
      #expect(!vault.seen.contains("DELETE \(Route.vault)"))
      var options = SyncOptions()
      options.allowsDamage = true
      let receipt = try await pair.b.engine.deleteCloudData(
        password: password(), options: options)
      #expect(receipt.records == 1)
    }
  }

  @Test func `a blob that was damaged on its way comes whole later`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "bad", content: "x").id
      try await pair.a.engine.sync()
      vault.lie(damaging(id))
      _ = try await pair.b.engine.sync()
      vault.lie(nil)
      _ = try await pair.b.engine.sync()
      #expect(try pair.b.entries() == ["bad: x"])
    }
  }

  @Test func `a device that edits a damaged record heals it`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "x").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "from a" }
      try await pair.a.engine.sync()
      vault.lie(damaging(id))
      try pair.b.journal.edit(id) { $0.content = "from b" }
      try await pair.b.engine.sync()
      vault.lie(nil)
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: from b"])
      #expect(try pair.agree())
    }
  }

  @Test func `C12: a lost answer to a commit doubles nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      try pair.a.journal.write(title: "t", content: "x")
      vault.lie { request, honest in
        guard request.uri.path == Route.commits else { return nil }
        _ = try await honest(request)
        return .cut
      }
      await #expect(throws: JournalError.offline(.cut)) { try await pair.a.engine.sync() }
      vault.lie(nil)
      try pair.a.journal.write(title: "u", content: "y")
      try await pair.settle()
      #expect(try pair.b.entries() == ["t: x", "u: y"])
      #expect(try pair.a.journal.syncStatus().pending == 0)
    }
  }

  @Test func `B2: a commit that was acknowledged and thrown away is a rollback`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      try pair.a.journal.write(title: "t", content: "x")
      let seq = Mutex<UInt64>(0)
      vault.lie { request, _ in
        guard request.uri.path == Route.commits else { return nil }
        var accepted = WireCommitAccepted()
        accepted.seq = 2
        seq.withLock { $0 += 1 }
        return .message(try accepted.serializedBytes())
      }
      await #expect(throws: JournalError.rolledBack) { try await pair.a.engine.sync() }
      #expect(try pair.a.entries() == ["t: x"])
    }
  }

  @Test func `B2: two devices shown different histories find it out`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.settle()
      let other = try TestVault(copying: vault)
      try await other.serve { elsewhere in
        try await pair.b.engine.move(to: elsewhere)
        try pair.a.journal.write(title: "a", content: "a")
        try await pair.a.engine.sync()
        try pair.b.journal.write(title: "b", content: "b")
        try await pair.b.engine.sync()
        try await pair.b.engine.move(to: server)
        await #expect(throws: JournalError.forked) { try await pair.b.engine.sync() }
        #expect(try pair.b.entries() == ["b: b", "one: one text"])
      }
    }
  }

  @Test func `B2: an older copy of the vault is a rollback`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let older = try TestVault(copying: vault)
      try pair.a.journal.write(title: "two", content: "2")
      try await pair.settle()
      try await older.serve { elsewhere in
        try await pair.b.engine.move(to: elsewhere)
        await #expect(throws: JournalError.rolledBack) { try await pair.b.engine.sync() }
        #expect(try pair.b.entries() == ["one: one text", "two: 2"])
      }
    }
  }

  @Test func `after a backup came back, a new copy is begun and every device follows`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      try await pair.settle()
      let backup = try TestVault(copying: vault)
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "after the backup" }
      try pair.a.journal.write(title: "three", content: "3")
      try await pair.settle()
      let entries = try pair.a.entries()
      try await backup.serve { restored in
        try await pair.a.engine.move(to: restored)
        try await pair.b.engine.move(to: restored)
        await #expect(throws: JournalError.rolledBack) { try await pair.a.engine.sync() }
        try await pair.a.engine.beginNewCopy(password: password())
        #expect(try pair.a.entries() == entries)
        try pair.b.journal.write(title: "four", content: "4")
        await #expect(throws: JournalError.self) { try await pair.b.engine.sync() }
        try await pair.b.engine.logIn(password: password())
        await #expect(throws: JournalError.newGeneration) { try await pair.b.engine.sync() }
        var options = SyncOptions()
        options.allowsNewGeneration = true
        try await pair.b.engine.sync(options)
        try await pair.settle()
        #expect(try pair.b.entries() == (entries + ["four: 4"]).sorted())
        #expect(try pair.agree())
        let c = try TestDevice()
        try await c.join(at: restored)
        #expect(try c.entries() == pair.a.entries())
      }
    }
  }
}
