// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Testing

@Suite struct ConflictTests {
  /// Lets both devices edit the one entry offline, with `pause` in between, then syncs.
  private func clash(
    _ base: String, _ first: String, _ second: String, pause: Duration,
    _ check: @escaping @Sendable (Pair, ObjectID) async throws -> Void
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: base).id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = first }
      pair.a.clock.pass(pause)
      try pair.b.journal.edit(id) { $0.content = second }
      pair.a.clock.pass(.seconds(3_600))
      try await pair.settle()
      #expect(try pair.agree())
      try await check(pair, id)
    }
  }

  @Test func `clean edits of one entry are merged on both devices`() async throws {
    try await clash("a\nb\nc", "A\nb\nc", "a\nb\nC", pause: .zero) { (pair, id) async throws in
      #expect(try pair.a.entries() == ["t: A\nb\nC"])
      try await pair.a.engine.fetchHistory(of: id)
      #expect(try texts(pair.a, id).isSuperset(of: ["A\nb\nc", "a\nb\nC"]))
      #expect(try await pair.a.engine.fetchHistory(of: id) == 0)
    }
  }

  @Test func `clashing edits far apart leave the later, the earlier is in both histories`()
    async throws
  {
    try await clash("base", "early", "late", pause: .seconds(600)) { (pair, id) async throws in
      #expect(try pair.a.entries() == ["t: late"])
      #expect(try texts(pair.a, id).contains("early"))
      #expect(try texts(pair.b, id).contains("early"))
    }
  }

  @Test func `an earlier edit that comes later is the loser everywhere`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "base").id
      try await pair.settle()
      try pair.b.journal.edit(id) { $0.content = "early" }
      pair.a.clock.pass(.seconds(600))
      try pair.a.journal.edit(id) { $0.content = "late" }
      pair.a.clock.pass(.seconds(600))
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: late"])
      #expect(try pair.agree())
      #expect(try texts(pair.b, id).contains("early"))
    }
  }

  @Test func `clashing edits close together are both kept`() async throws {
    try await clash("base", "mine", "theirs", pause: .seconds(30)) { (pair, id) async throws in
      #expect(try pair.a.entries() == ["t: mine", "t: theirs"])
      let copies = try pair.a.journal.list().map { try pair.a.journal.entry($0.id) }
        .filter { $0.conflictOf == id }
      #expect(copies.count == 1)
    }
  }

  @Test func `an edit outlives a deletion on the other device`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "base").id
      try await pair.settle()
      try pair.a.journal.delete(id)
      try pair.b.journal.edit(id) { $0.content = "edited" }
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: edited"])
      #expect(try pair.agree())
    }
  }

  @Test func `a deleted entry goes on the other device and can be restored there`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "text").id
      try await pair.settle()
      try pair.a.journal.delete(id)
      try await pair.settle()
      #expect(try pair.b.entries().isEmpty)
      let last = try #require(try pair.b.journal.history(id).first { !$0.isDeletion })
      try pair.b.journal.restore(id, revision: last.revision)
      try await pair.settle()
      #expect(try pair.a.entries() == ["t: text"])
    }
  }

  @Test func `several saves of one entry go up in order, with their history`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "1").id
      for text in ["2", "3", "4"] { try pair.a.journal.edit(id) { $0.content = text } }
      try await pair.settle()
      #expect(try pair.b.entries() == ["t: 4"])
      #expect(try pair.a.journal.syncStatus().pending == 0)
    }
  }

  @Test func `a save withdrawn by a merge can still be named in the history`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "t", content: "base").id
      try await pair.settle()
      try pair.a.journal.edit(id) { $0.content = "from a" }
      try pair.b.journal.edit(id) { $0.content = "from b" }
      try pair.b.journal.delete(id)
      try await pair.settle()
      #expect(try pair.b.entries() == ["t: from a"])
      #expect(try texts(pair.b, id).isSuperset(of: ["base", "from a", "from b"]))
      let history = try pair.b.journal.history(id)
      #expect(Set(history.map(\.revision)).count == history.count)
      // Each state stands before the one that it was made from.
      let said = try history.map { state in
        state.isDeletion
          ? "deleted" : try pair.b.journal.entry(id, revision: state.revision).content
      }
      #expect(said == ["deleted", "from b", "from a", "base"])
    }
  }

  @Test func `a new device deletes nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, (0..<20).map { "entry \($0)" })
      let c = try TestDevice()
      try await c.join(at: server)
      try await c.engine.sync()
      try await pair.settle()
      #expect(try pair.a.entries().count == 20)
    }
  }

  /// What all revisions of an entry say on a device.
  private func texts(_ device: TestDevice, _ id: ObjectID) throws -> Set<String> {
    Set(
      try device.journal.history(id).filter { !$0.isDeletion }
        .map { try device.journal.entry(id, revision: $0.revision).content })
  }
}
