// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

@testable import JournalClient

/// A device's own file that lost a bit or is full, and commits that must not be cut in the middle.
@Suite struct RotTests {
  /// Flips bits in the blob of the newest revision of a record, behind the journal's back.
  private func spoil(_ id: ObjectID, on device: TestDevice) throws {
    try device.journal.store.write { (store) throws(JournalError) in
      guard let current = try store.current(id) else { throw .noEntry }
      var blob = current.sealed.blob
      blob[300] ^= 1
      try store.run(
        "UPDATE revisions SET blob = ? WHERE id = ?", [Data(blob), current.rowID])
    }
  }

  @Test func `an acknowledged blob that rotted here comes again with the next sync`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "newer" }
      try await pair.settle()
      try spoil(id, on: pair.b)
      #expect(throws: JournalError.damaged(ids: [id])) { try pair.b.journal.entry(id) }
      #expect(try pair.b.journal.syncStatus().missing == 1)
      try await pair.b.engine.sync()
      #expect(try pair.b.entries() == ["one: newer"])
      #expect(try pair.b.journal.quarantined().isEmpty)
      #expect(try pair.b.journal.syncStatus().missing == 0)
    }
  }

  @Test func `the only revision of an entry that rotted comes again too`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.b.journal.list().first).id
      try spoil(id, on: pair.b)
      #expect(try pair.b.journal.check().quarantined == 1)
      try await pair.b.engine.sync()
      #expect(try pair.b.entries() == ["one: one text"])
    }
  }

  @Test func `a rotted state gives way to the one below it, not to one that a merge withdrew`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "base").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "from a" }
      try pair.b.journal.edit(id) { $0.content = "from b" }
      try pair.b.journal.delete(id)
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "from a again" }
      try await pair.settle()
      try spoil(id, on: pair.b)
      _ = try pair.b.journal.check()
      #expect(try pair.b.entries() == ["t: from a"])
    }
  }

  @Test func `a change made over a blob that rotted is merged with it once it is back`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "newer" }
      try await pair.settle()
      try spoil(id, on: pair.b)
      _ = try pair.b.journal.check()
      try pair.b.journal.edit(id) { $0.title = "over the older one" }
      try await pair.settle()
      #expect(try pair.agree())
      let texts = try pair.a.entries()
      #expect(texts.contains("one: newer") && texts.contains("over the older one: one text"))
    }
  }

  @Test func `a waiting blob that rotted is put aside and holds nothing up`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.b.journal.list().first).id
      try pair.b.journal.edit(id) { $0.content = "lost to rot" }
      try spoil(id, on: pair.b)
      try pair.b.journal.write(title: "two", content: "waits behind it")
      try await pair.settle()
      #expect(try pair.a.entries() == ["one: one text", "two: waits behind it"])
      #expect(try pair.agree())
      #expect(try pair.b.journal.syncStatus().damaged == [id])
    }
  }

  @Test func `a full disk in a sync is named, loses nothing, and the next sync goes on`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.b.journal.list().first).id
      var failures = 0
      for step in 0..<12 {
        let text = String(repeating: "step \(step)\n", count: 7_000)
        try pair.a.journal.write(title: "a \(step)", content: text)
        try pair.a.journal.edit(id) { $0.content = "a \(step)" }
        try await pair.a.engine.sync()
        try pair.b.journal.write(title: "b \(step)", content: text)
        try pair.b.journal.edit(id) { $0.content = "b \(step)" }
        let before = try pair.b.entries()
        try limitPages(pair.b, free: step * 3)
        do {
          try await pair.b.engine.sync()
        } catch JournalError.diskFull {
          failures += 1
          #expect(try pair.b.entries().isSuperset(of: before.filter { !$0.hasPrefix("one:") }))
        }
        try limitPages(pair.b, free: nil)
        try await pair.b.engine.sync()
        #expect(try pair.b.journal.syncStatus().pending == 0)
      }
      #expect(failures > 3)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries().filter { $0.hasPrefix("a ") || $0.hasPrefix("b ") }.count == 24)
    }
  }

  /// Lets SQLite take so many more pages than it has, in this connection.
  private func limitPages(_ device: TestDevice, free: Int?) throws {
    try device.journal.store.write { (store) throws(JournalError) in
      let pages = try store.one("PRAGMA page_count") { $0.number(0) } ?? 0
      let limit = free.map { pages + Int64($0) } ?? 1_000_000
      _ = try store.one("PRAGMA max_page_count = \(limit)") { $0.number(0) }
    }
  }

  @Test func `the winner and the loser of a conflict go up in one commit`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.a.journal.list().first).id
      let filler = String(repeating: "x", count: 1_000_000)
      try pair.a.journal.edit(id) { $0.content = filler + "\nearly" }
      pair.a.clock.pass(.seconds(3_600))
      for number in 0..<3 {
        try pair.a.journal.write(title: "filler \(number)", content: filler)
      }
      try pair.b.journal.edit(id) { $0.content = filler + "\nlate" }
      try await pair.b.engine.sync()
      pair.a.clock.pass(.seconds(3_600))
      let commits = Mutex<[[Int]]>([])
      vault.lie { request, honest in
        guard request.uri.path == Route.commits else { return nil }
        var request = request
        let body = try await request.collectBody(upTo: 8 << 20)
        let commit = try WireCommit(serializedBytes: Array(body.readableBytesView))
        let places = commit.records.indices.filter {
          commit.records[$0].recordID == Data(id.bytes)
        }
        commits.withLock { $0.append(Array(places)) }
        return try await honest(request)
      }
      let report = try await pair.a.engine.sync()
      #expect(report.merges == [MergeNote(id: id, outcome: .theirs)])
      let sent = commits.withLock { $0 }
      #expect(sent.count == 2 && sent.filter { !$0.isEmpty }.map(\.count) == [2])
    }
  }

  @Test func `a page that was asked for before another process committed is asked for again`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.settle()
      // A request of one process waits at the server …
      let waiting = try pair.b.journal.state()
      let pin = try #require(waiting.pin)
      let session = try await pair.b.engine.session()
      // … while another one commits, and is cut before it has read on.
      let other = try TestDevice(in: pair.b.folder, clock: pair.b.clock)
      defer { withExtendedLifetime(other) {} }
      try await other.journal.unlock(password: password())
      try other.journal.write(title: "two", content: "by the other process")
      let isCommitted = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.commits {
          isCommitted.withLock { $0 = true }
          return try await honest(request)
        }
        return isCommitted.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.offline(.cut)) { try await other.engine.sync() }
      vault.lie(nil)
      let changes = try #require(
        try await session.api.changes(
          VaultAPI.Feed(cursor: waiting.cursor, headsFrom: pin.seq)))
      let page = WaitedPage(
        changes: changes, cursor: waiting.cursor, pin: pin, rowsOnly: false)
      let report = try await pair.b.engine.run(SyncOptions(), first: page)
      #expect(report.damaged.isEmpty)
      try await pair.settle()
      #expect(try pair.agree())
    }
  }
}

extension [String] {
  fileprivate func isSuperset(of other: [String]) -> Bool { Set(self).isSuperset(of: other) }
}
