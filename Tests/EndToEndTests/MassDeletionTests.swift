// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Testing
import VaultProtocol

/// Deletions by other devices, counted together however they come.
@Suite struct MassDeletionTests {
  private func delete(_ count: Int, on device: TestDevice) async throws {
    for entry in try device.journal.list().prefix(count) { try device.journal.delete(entry.id) }
    try await device.engine.sync()
  }

  @Test func `many deletions at once wait for a yes, and the rest comes and goes`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<40).map { "entry \($0)" })
      try await delete(20, on: pair.a)
      try pair.a.journal.write(title: "new", content: "from a")
      try await pair.a.engine.sync()
      try pair.b.journal.write(title: "new", content: "from b")
      await #expect(throws: JournalError.confirmationNeeded(count: 20)) {
        try await pair.b.engine.sync()
      }
      #expect(try pair.b.entries().count == 42)
      #expect(try pair.b.journal.syncStatus().pending == 0)
      #expect(try pair.b.journal.syncStatus().fault == .confirmationNeeded)
      var options = SyncOptions()
      options.allowsDeletions = true
      #expect(try await pair.b.engine.sync(options).deleted == 20)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.b.entries().count == 22)
      #expect(try pair.b.journal.syncStatus().fault == nil)
    }
  }

  @Test func `deletions that come with the feed and those fetched after it count together`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<40).map { "entry \($0)" })
      try await delete(16, on: pair.a)
      vault.lie { request, honest in
        guard request.uri.path == Route.changes else { return nil }
        let answer = try await honest(request)
        guard answer.status == .ok else { return answer }
        var changes = try WireChanges(serializedBytes: try await answer.bytes())
        for index in changes.records.indices.prefix(8) { changes.records[index].blob = Data() }
        return .message(try changes.serializedBytes())
      }
      await #expect(throws: JournalError.confirmationNeeded(count: 16)) {
        try await pair.b.engine.sync()
      }
      #expect(try pair.b.entries().count == 40)
    }
  }

  @Test func `deletions of several syncs count together for a day`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<40).map { "entry \($0)" })
      try await delete(6, on: pair.a)
      #expect(try await pair.b.engine.sync().deleted == 6)
      try await delete(6, on: pair.a)
      for _ in 0..<2 {
        await #expect(throws: JournalError.confirmationNeeded(count: 6)) {
          try await pair.b.engine.sync()
        }
      }
      #expect(try pair.b.entries().count == 34)
      pair.b.clock.pass(.seconds(90_000))
      #expect(try await pair.b.engine.sync().deleted == 6)
      #expect(try pair.agree())
    }
  }

  @Test func `ten deletions, or a tenth of the journal, ask nobody`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<110).map { "entry \($0)" })
      try await delete(10, on: pair.a)
      #expect(try await pair.b.engine.sync().deleted == 10)
      try await delete(1, on: pair.a)
      #expect(try await pair.b.engine.sync().deleted == 1)
      try await delete(1, on: pair.a)
      await #expect(throws: JournalError.confirmationNeeded(count: 1)) {
        try await pair.b.engine.sync()
      }
    }
  }

  @Test func `an entry changed here outlives its deletion while many others wait`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<40).map { "entry \($0)" })
      let id = try #require(try pair.b.journal.list().first).id
      try await delete(20, on: pair.a)
      try pair.b.journal.edit(id) { $0.content = "changed on b" }
      await #expect(throws: JournalError.confirmationNeeded(count: 19)) {
        try await pair.b.engine.sync()
      }
      var options = SyncOptions()
      options.allowsDeletions = true
      try await pair.b.engine.sync(options)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.journal.entry(id).content == "changed on b")
      #expect(try pair.a.entries().count == 21)
    }
  }
}
