// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import Sodium
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

/// A server that lies to the holder of a kit, who has no session: nothing is sent that such a lie
/// could spoil, and nothing here changes.
@Suite struct LyingRecoveryTests {
  /// Alters what `recovery/open` gives.
  private func opened(
    _ change: @escaping @Sendable (inout WireRecoveryOpened) -> Void
  ) -> TestVault.Fault {
    { request, honest in
      guard request.uri.path == Route.recoveryOpen else { return nil }
      let answer = try await honest(request)
      guard answer.status == .ok else { return answer }
      var message = try WireRecoveryOpened(serializedBytes: try await answer.bytes())
      change(&message)
      return .message(try message.serializedBytes())
    }
  }

  /// A device that knows the vault, and one that does not, are told `lie`.
  private func deceive(
    _ lie: @escaping TestVault.Fault, _ expected: JournalError,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      let (states, files) = (try [a, b].map { try $0.journal.state() }, try self.files(of: a))
      vault.lie(lie)
      vault.forgetRequests()
      for device in [a, b] {
        await #expect(throws: expected, sourceLocation: sourceLocation) {
          try await device.recover(at: server, kits)
        }
      }
      await #expect(throws: expected, sourceLocation: sourceLocation) {
        try await a.engine.rehearse(code: kits.newest)
      }
      #expect(!vault.seen.contains("PUT \(Route.credentials)"), sourceLocation: sourceLocation)
      vault.lie(nil)
      var after = try [a, b].map { try $0.journal.state() }
      for index in after.indices { after[index].syncFault = nil }
      #expect(after == states, sourceLocation: sourceLocation)
      #expect(try self.files(of: a) == files, sourceLocation: sourceLocation)
      try await b.recover(at: server, kits)
      #expect(try b.entries() == ["one: text"], sourceLocation: sourceLocation)
    }
  }

  private func files(of device: TestDevice) throws -> [Data] {
    [try Data(contentsOf: device.journal.home.slotFile)]
  }

  @Test func `a slot under another code`() async throws {
    try await deceive(
      opened { message in
        let uid = ObjectID.make()
        let other = VaultKey.make(epoch: message.vault.epoch)
        message.recoverySlot = Data(
          Slot.seal(
            other, profile: 0, base: HeadPoint(generation: 1, seq: 1, hash: .zero), as: .recovery,
            under: SlotKey.recovery(RecoveryCode.make(), uid: uid), uid: uid))
      }, .keysRefused)
  }

  @Test func `an altered slot`() async throws {
    try await deceive(opened { $0.recoverySlot[200] ^= 1 }, .keysRefused)
  }

  @Test func `a keyring of another key`() async throws {
    try await deceive(
      opened { message in
        let ring = Keyring(current: VaultKey.make(epoch: message.vault.epoch))
        message.keyring = Data(ring.sealOlder(seq: 1, uid: ObjectID.make()))
      }, .keysRefused)
  }

  @Test func `another epoch than the slot's`() async throws {
    try await deceive(opened { $0.vault.epoch += 1 }, .keysRefused)
  }

  @Test func `a head of another key`() async throws {
    try await deceive(
      opened { message in
        let ring = Keyring(current: VaultKey.make(epoch: message.vault.epoch))
        var rows = VaultRoot()
        let head = Head(
          first: 1, root: rows.digest(), records: 0, epoch: ring.epoch, device: ObjectID.make(),
          time: 0)
        message.vault.head = Data(head.seal(under: ring, uid: ObjectID.make()))
        message.vault.seq = 1
      }, .incomplete)
  }

  @Test func `another user's id`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try await a.register(at: server, kits)
      vault.lie { request, honest in
        guard request.uri.path == Route.recovery else { return nil }
        var started = try WireRecoveryStarted(
          serializedBytes: try await honest(request).bytes())
        started.uid = Data(ObjectID.make().bytes)
        return .message(try started.serializedBytes())
      }
      await #expect(throws: JournalError.keysRefused) { try await a.recover(at: nil, kits) }
      await #expect(throws: JournalError.kitRefused) { try await b.recover(at: server, kits) }
    }
  }

  @Test func `an older head than this device has seen is rolled back`() async throws {
    let vault = try TestVault()
    let (a, kits) = (try TestDevice(), Kits())
    let old = try await vault.serve { server in
      try await a.register(at: server, kits)
      try a.journal.write(title: "one", content: "text")
      try await a.engine.sync()
      return try TestVault(copying: vault)
    }
    try await vault.serve { server in
      try await a.engine.move(to: server)
      try a.journal.write(title: "two", content: "text")
      try await a.engine.sync()
    }
    try await old.serve { (server) async throws in
      await #expect(throws: JournalError.rolledBack) { try await a.recover(at: server, kits) }
      #expect(try a.entries().count == 2)
    }
  }

  @Test func `an older head than the kit's is rolled back, on a new device too`() async throws {
    let vault = try TestVault()
    let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
    try await vault.serve { server in
      try await a.register(at: server, kits)
      let before = Mutex(WireVaultState())
      vault.lie(opened { message in before.withLock { $0 = message.vault } })
      _ = try await a.engine.rehearse(code: kits.newest)
      vault.lie(nil)
      try a.journal.write(title: "one", content: "text")
      try await a.engine.sync()
      try await a.engine.makeRecoveryKit(password: password(), confirm: { kits.take($0) })
      vault.lie(
        opened { message in
          message.vault = before.withLock { $0 }
        })
      await #expect(throws: JournalError.rolledBack) { try await b.recover(at: server, kits) }
    }
  }
}
