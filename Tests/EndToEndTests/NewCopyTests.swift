// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import JournalClient
import KeyFlow
import NIOCore
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

/// The ways out: of a deletion after which another device began a new copy, and of a head that
/// somebody posted who has a session and no key.
@Suite struct NewCopyTests {
  private var following: SyncOptions {
    var options = SyncOptions()
    options.allowsNewGeneration = true
    return options
  }

  /// A deletes and begins anew; B has heard of the deletion, or hears of it first when it syncs.
  private func begin(
    _ pair: Pair, at server: ServerAddress, bHasHeard: Bool = true
  ) async throws {
    _ = try await pair.a.engine.deleteCloudData(password: password())
    if bHasHeard { _ = try? await pair.b.engine.sync() }
    try await pair.a.register(at: server)
    try pair.a.journal.write(title: "new", content: "on a")
    try await pair.a.engine.sync()
    if !bHasHeard { _ = try? await pair.b.engine.sync() }
  }

  @Test(arguments: [true, false])
  func `a device that believed the deletion asks once, then follows the new copy and merges`(
    hadHeard: Bool
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "waiting", content: "on b")
      try await begin(pair, at: server, bHasHeard: hadHeard)
      await #expect(throws: JournalError.cloudDeleted) { try await pair.b.engine.sync() }
      await #expect(throws: JournalError.newGeneration) {
        try await pair.b.engine.logIn(password: password())
      }
      #expect(try pair.b.journal.syncStatus().fault == .newGeneration)
      #expect(try pair.b.entries() == ["one: one text", "waiting: on b"])
      try await pair.b.engine.logIn(password: password(), options: following)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries() == ["new: on a", "one: one text", "waiting: on b"])
      #expect(try pair.b.journal.syncStatus().fault == nil)
      pair.b.journal.keys.lock()
      try await pair.b.journal.unlock(password: password())
    }
  }

  @Test func `while nothing new was begun, asking changes nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      _ = try await pair.a.engine.deleteCloudData(password: password())
      _ = try? await pair.b.engine.sync()
      await #expect(throws: JournalError.self) {
        try await pair.b.engine.logIn(password: password(), options: following)
      }
      #expect(try pair.b.journal.syncStatus().isCloudDeleted)
      #expect(try pair.b.entries() == ["one: one text"])
    }
  }

  @Test func `turning encryption on where there is a new copy makes no kit`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await begin(pair, at: server)
      let wish = AccountWish(server: server, name: "samuel")
      for options in [SyncOptions(), following] {
        do {
          try await pair.b.engine.turnEncryptionOn(
            wish, password: password(),
            confirm: { _ in
              Issue.record("a kit for nothing")
              return true
            }, options: options)
          #expect(options.allowsNewGeneration)
        } catch JournalError.newGeneration {
          #expect(!options.allowsNewGeneration)
        }
      }
      try await pair.settle()
      #expect(try pair.agree())
    }
  }

  @Test func `turning encryption on anew where the account is one's own makes no kit`() async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.b.engine.turnEncryptionOff(password: password())
      await #expect(throws: JournalError.nameTaken) {
        try await pair.b.engine.turnEncryptionOn(
          AccountWish(server: server, name: "samuel"), password: password(),
          confirm: { _ in
            Issue.record("a kit for nothing")
            return true
          })
      }
      try await pair.b.join(at: server)
      try await pair.settle()
      #expect(try pair.agree())
    }
  }

  @Test func `a device that missed a rotation before the deletion follows too`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "waiting", content: "on b")
      try await pair.a.engine.rotateKeys(
        from: password(), to: password("another one"), confirm: { _ in true })
      try await pair.a.engine.sync()
      _ = try await pair.a.engine.deleteCloudData(password: password("another one"))
      try await pair.a.engine.turnEncryptionOn(
        AccountWish(server: server, name: "samuel"), password: password("another one"),
        confirm: { _ in true })
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await pair.b.engine.sync()
      }
      await #expect(throws: JournalError.newGeneration) {
        try await pair.b.engine.logIn(password: password("another one"))
      }
      // Locked, it still opens by the earlier password alone.
      pair.b.journal.keys.lock()
      await #expect(throws: JournalError.earlierPasswordNeeded) {
        try await pair.b.engine.logIn(password: password("another one"), options: following)
      }
      try await pair.b.journal.unlock(password: password())
      try await pair.b.engine.logIn(password: password("another one"), options: following)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries() == ["one: one text", "waiting: on b"])
    }
  }

  /// Posts a commit with a session of A's alone: no records, and a head that is none.
  private func postJunk(_ vault: TestVault, _ pair: Pair) async throws {
    let junk = Mutex(true)
    let commit = Mutex<[UInt8]?>(nil)
    try pair.a.journal.write(title: "last", content: "before the junk")
    vault.lie { request, honest in
      guard request.uri.path == Route.commits else { return nil }
      let answer = try await honest(request)
      guard
        junk.withLock({ junk in
          defer { junk = false }; return junk
        })
      else { return answer }
      var body = WireCommit()
      body.commitID = Data((0..<16).map { _ in UInt8.random(in: 0...255) })
      body.baseSeq = try WireCommitAccepted(serializedBytes: try await answer.bytes()).seq
      body.generation = 1
      body.epoch = 1
      let key = VaultKey.make(epoch: 1)
      let uid = ObjectID.make()
      body.head = Data(
        Head(
          first: 1, root: .zero, records: 0, epoch: 1, device: uid, time: 1
        ).at(body.baseSeq + 1).seal(under: Keyring(current: key), uid: uid))
      commit.withLock { $0 = [UInt8]((try? body.serializedBytes()) ?? Data()) }
      let bytes = commit.withLock { $0 } ?? []
      var head = request.head
      head.headerFields[.contentLength] = String(bytes.count)
      let forged = Request(head: head, body: .init(buffer: .init(bytes: bytes)))
      let taken = try await honest(forged)
      #expect(taken.status == .ok)
      return answer
    }
    // The commit is taken, and what is read after it is the junk.
    _ = try? await pair.a.engine.sync()
    vault.lie(nil)
  }

  @Test func `a head that nobody with a key wrote is got rid of by a new beginning`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await postJunk(vault, pair)
      await #expect(throws: JournalError.self) { try await pair.a.engine.sync() }
      await #expect(throws: JournalError.self) { try await pair.b.engine.sync() }
      let generation = try pair.a.journal.state().pin?.generation
      #expect(generation == 1)
      try await pair.a.engine.beginNewCopy(password: password())
      #expect(try pair.a.journal.state().pin?.generation == 2)
      #expect(try pair.a.journal.syncStatus().fault == nil)
      try await pair.b.engine.sync(following)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries() == ["last: before the junk", "one: one text"])
    }
  }

  @Test func `a copy that does not verify is deleted when the owner insists`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await postJunk(vault, pair)
      await #expect(throws: JournalError.self) {
        try await pair.a.engine.deleteCloudData(password: password())
      }
      #expect(!vault.seen.contains("DELETE \(Route.vault)"))
      var options = SyncOptions()
      options.allowsUnverified = true
      let receipt = try await pair.a.engine.deleteCloudData(password: password(), options: options)
      #expect(receipt.records == 2)
      #expect(try pair.a.entries().count == 2)
      // The other device believes it: it is the owner's certificate.
      do {
        try await pair.b.engine.sync()
        Issue.record("a deleted copy was synced with")
      } catch JournalError.deleted {}
    }
  }

  @Test func `a record that came whole later is damaged no more`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      let id = try pair.a.journal.write(title: "bad", content: "x").id
      let other = try pair.a.journal.write(title: "worse", content: "y").id
      try await pair.a.engine.sync()
      vault.lie { request, honest in
        guard request.uri.path == Route.changes else { return nil }
        let answer = try await honest(request)
        guard answer.status == .ok else { return answer }
        var changes = try WireChanges(serializedBytes: try await answer.bytes())
        for index in changes.records.indices { changes.records[index].blob[300] ^= 1 }
        return .message(try changes.serializedBytes())
      }
      _ = try? await pair.b.engine.sync()
      vault.lie(nil)
      try pair.a.journal.edit(other) { $0.content = "again" }
      try await pair.settle()
      #expect(try pair.b.entries() == ["bad: x", "worse: again"])
      #expect(try pair.b.journal.syncStatus().damaged == [])
      _ = id
    }
  }
}

extension Head {
  /// The same as another commit's.
  fileprivate func at(_ seq: UInt64) -> Head {
    var head = self
    head.seq = seq
    return head
  }
}
