// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Testing

/// What a crash between writing a slot or a key file and naming it leaves behind.
@Suite struct SlotTests {
  /// Gives the device's slot its second name, as a crash before its adoption would have left it.
  private func misname(_ device: TestDevice) throws {
    let home = device.journal.home
    try FileManager.default.moveItem(at: home.slotFile, to: home.newSlotFile)
  }

  private func has(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Writes a key file with a key of nobody's, of `epoch`.
  private func leaveKeyFile(_ device: TestDevice, epoch: UInt8) throws {
    let path = device.journal.home.keyFile.path
    let bytes = Array("KFP1".utf8) + [0, 0, 0, epoch] + [UInt8](repeating: 7, count: 32)
    #expect(
      FileManager.default.createFile(
        atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]))
  }

  @Test func `a slot under its second name opens the journal, and gets its own`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      try misname(a)
      a.journal.keys.lock()
      try await a.journal.unlock(password: password())
      #expect(try a.entries() == ["one: text"])
      #expect(has(a.journal.home.slotFile) && !has(a.journal.home.newSlotFile))
    }
  }

  @Test func `a slot of an older key gives way to the one of the journal's`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      let old = try Data(contentsOf: a.journal.home.slotFile)
      _ = try await a.engine.deleteCloudData(password: password())
      try await a.register(at: server)
      let new = try Data(contentsOf: a.journal.home.slotFile)
      try misname(a)
      try old.write(to: a.journal.home.slotFile)
      a.journal.keys.lock()
      try await a.journal.unlock(password: password())
      #expect(try Data(contentsOf: a.journal.home.slotFile) == new)
    }
  }

  @Test func `going on with the wrong password leaves the only slot alone`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (other, a) = (try TestDevice(), try TestDevice())
      try await other.register(at: server)
      try a.journal.write(title: "one", content: "text")
      await #expect(throws: JournalError.nameTaken) { try await a.register(at: server) }
      try misname(a)
      let slot = try Data(contentsOf: a.journal.home.newSlotFile)
      let wish = AccountWish(server: server, name: "elizabeth")
      // The keys are in memory, as with an agent.
      await #expect(throws: JournalError.wrongPassword) {
        try await a.engine.turnEncryptionOn(
          wish, password: password("wrong"), confirm: { _ in true })
      }
      #expect(try Data(contentsOf: a.journal.home.newSlotFile) == slot)
      try await a.register(at: server, name: "elizabeth")
      a.journal.keys.lock()
      try await a.journal.unlock(password: password())
      #expect(try a.entries() == ["one: text"])
      #expect(!has(a.journal.home.newSlotFile))
    }
  }

  @Test func `a key file of an attempt that crashed does not keep encryption on`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      try leaveKeyFile(a, epoch: 2)
      try await a.engine.turnEncryptionOff(password: password())
      let again = try Journal.open(in: a.journal.home, environment: a.journal.environment)
      #expect(again.keys.isUnlocked)
      #expect(try again.list().count == 1)
    }
  }

  @Test func `a key file of the journal's epoch number does not unlock it, and goes`() async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      try leaveKeyFile(a, epoch: 1)
      let again = try Journal.open(in: a.journal.home, environment: a.journal.environment)
      #expect(!again.keys.isUnlocked)
      try await again.unlock(password: password())
      #expect(try again.list().count == 1)
      try await a.engine.sync()
      #expect(!has(a.journal.home.keyFile))
    }
  }

  @Test func `another key of the journal's epoch does not unlock it`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      a.journal.keys.lock()
      #expect(throws: JournalError.wrongPassword) {
        try a.journal.unlock(with: VaultKey.make(epoch: 1))
      }
      #expect(!a.journal.keys.isUnlocked)
    }
  }

  @Test func `a deletion amid turning encryption on removes the old key too`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      vault.lie { request, _ in
        request.uri.path.hasSuffix("/commits") ? .problem(.internalError) : nil
      }
      await #expect(throws: JournalError.self) { try await a.register(at: server) }
      #expect(has(a.journal.home.keyFile))
      vault.lie(nil)
      _ = try await a.engine.deleteCloudData(password: password())
      #expect(!has(a.journal.home.keyFile))
      #expect(try a.entries() == ["one: text"])
    }
  }

  @Test func `a new copy that another device began is not taken for one's own`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      _ = try await pair.a.engine.deleteCloudData(password: password())
      _ = try? await pair.b.engine.sync()
      // A's request does not arrive, and B is faster.
      vault.lie { request, _ in request.method == .put ? .cut : nil }
      await #expect(throws: JournalError.self) { try await pair.a.register(at: server) }
      vault.lie(nil)
      try await pair.b.register(at: server)
      await #expect(throws: JournalError.newGeneration) { try await pair.a.register(at: server) }
      try await pair.a.join(at: server)
      try await pair.settle()
      #expect(try pair.agree())
      pair.a.journal.keys.lock()
      try await pair.a.journal.unlock(password: password())
    }
  }
}
