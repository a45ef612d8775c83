// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyFlow
import Sodium
import SwiftProtobuf
import Testing
import VaultProtocol

@testable import JournalClient

@Suite struct DeletionTests {
  @Test func `the cloud copy goes, the journal stays, the receipt says what went`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      let receipt = try await pair.a.engine.deleteCloudData(password: password())
      #expect(receipt.records == 2 && !receipt.includesAccount)
      let key = try #require(try pair.a.journal.state().account?.receiptKey)
      #expect(Ed25519.verify(receipt.signature, of: receipt.message, by: key))
      #expect(try pair.a.entries() == ["one: one text", "two: two text"])
      #expect(try pair.a.journal.syncStatus().isCloudDeleted)
      await #expect(throws: JournalError.cloudDeleted) { try await pair.a.engine.sync() }
    }
  }

  @Test func `the other device believes the certificate and keeps its journal`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "two", content: "waiting")
      _ = try await pair.a.engine.deleteCloudData(password: password())
      do {
        try await pair.b.engine.sync()
        Issue.record("a deleted copy was synced with")
      } catch JournalError.deleted(let time) {
        #expect(time.milliseconds > 0)
      }
      #expect(try pair.b.entries() == ["one: one text", "two: waiting"])
      #expect(try pair.b.journal.syncStatus().isCloudDeleted)
    }
  }

  @Test func `a copy begun after a deletion stands on the head that was deleted`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let device = try TestDevice()
      try await device.register(at: server)
      try device.journal.write(title: "one", content: "one text")
      try await device.engine.sync()
      _ = try await device.engine.deleteCloudData(password: password())
      let deleted = try #require(try device.journal.state().pin)
      try await device.register(at: server)
      let session = try await device.engine.session()
      let feed = try await session.api.read(cursor: [], pin: 1, rowsOnly: true)
      let blob = try #require(feed?.last.heads.first?.blob)
      let head = try Head(
        opening: [UInt8](blob), with: session.keys.keyring, uid: session.keys.uid)
      #expect(head.generation == 2 && head.seq == 1)
      #expect(head.previous == deleted.hash)
      #expect(head.skips.allSatisfy { $0 == .zero })
    }
  }

  @Test func `after a deletion a new copy is begun, and the other device joins it anew`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      _ = try await pair.a.engine.deleteCloudData(password: password())
      _ = try? await pair.b.engine.sync()
      try pair.b.journal.write(title: "three", content: "on b")
      try pair.a.journal.delete(try #require(try pair.a.journal.list().first).id)
      try await pair.a.register(at: server)
      #expect(try pair.a.journal.state().pin?.generation == 2)
      try await pair.b.join(at: server)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries().count == 2 && pair.a.entries().contains("three: on b"))
      pair.a.journal.keys.lock()
      try await pair.a.journal.unlock(password: password())
    }
  }

  @Test func `with the account, the name can be taken again`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let receipt = try await pair.a.engine.deleteCloudData(password: password(), account: true)
      #expect(receipt.includesAccount)
      let c = try TestDevice()
      try await c.register(at: server)
      #expect(try pair.a.entries() == ["one: one text"])
    }
  }

  @Test func `a deletion whose answer was lost is gone on with`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      vault.lie { request, honest in
        guard request.method == .delete else { return nil }
        _ = try await honest(request)
        return .cut
      }
      await #expect(throws: JournalError.self) {
        try await pair.a.engine.deleteCloudData(password: password())
      }
      vault.lie(nil)
      let receipt = try await pair.a.engine.deleteCloudData(password: password())
      #expect(receipt.records == 1)
      #expect(try pair.a.journal.syncStatus().isCloudDeleted)
    }
  }

  @Test func `what another device wrote meanwhile is pulled before it is deleted`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "two", content: "late")
      try await pair.b.engine.sync()
      _ = try await pair.a.engine.deleteCloudData(password: password())
      #expect(try pair.a.entries() == ["one: one text", "two: late"])
    }
  }

  @Test func `C8: a receipt that is not signed by the pinned key is refused`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      vault.lie { request, honest in
        guard request.method == .delete else { return nil }
        let answer = try await honest(request)
        var receipt = try WireReceipt(serializedBytes: try await answer.bytes())
        receipt.records += 1
        return .message(try receipt.serializedBytes())
      }
      await #expect(throws: JournalError.receiptRefused) {
        try await pair.a.engine.deleteCloudData(password: password())
      }
    }
  }

  @Test func `C8: a server that says deleted and still serves is found out`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      vault.lie { request, _ in
        request.uri.path == Route.vault && request.method == .get
          ? .message(try WireVaultState().serializedBytes()) : nil
      }
      await #expect(throws: JournalError.receiptRefused) {
        try await pair.a.engine.deleteCloudData(password: password())
      }
    }
  }
}
