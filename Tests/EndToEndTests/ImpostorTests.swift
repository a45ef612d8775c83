// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

/// A server that is not the account's, or hands out keys of its own choice.
@Suite struct ImpostorTests {
  /// Every answer to a finished login, changed.
  private func session(
    _ change: @escaping @Sendable (inout WireSessionCreated) -> Void
  ) -> TestVault.Fault {
    { request, honest in
      guard request.uri.path == Route.sessions, request.method == .post else { return nil }
      var created = try WireSessionCreated(
        serializedBytes: try await honest(request).bytes())
      change(&created)
      return .message(try created.serializedBytes())
    }
  }

  @Test func `A10: another server under the same address is refused`() async throws {
    let (vault, stranger) = (try TestVault(), try TestVault())
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      try await stranger.serve { elsewhere in
        await #expect(throws: JournalError.wrongServer) { try await a.engine.move(to: elsewhere) }
      }
    }
  }

  @Test func `A2: another vault under the same name, id and password is refused`() async throws {
    let vault = try TestVault()
    let twin = try TestVault(copying: vault)
    let a = try TestDevice()
    let folder = a.folder.deletingLastPathComponent().appending(path: "twin-\(UUID())")
    try FileManager.default.copyItem(at: a.folder, to: folder)
    let b = try TestDevice(in: folder)
    try await vault.serve { server in
      try await a.register(at: server)
      try await twin.serve { elsewhere in
        try await b.register(at: elsewhere)
        try await a.engine.move(to: elsewhere)
        await #expect(throws: JournalError.keysRefused) {
          try await a.engine.logIn(password: password())
        }
      }
    }
  }

  @Test func `A2: keys that are not this account's are refused`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, other) = (try TestDevice(), try TestDevice())
      try await a.register(at: server)
      try await other.register(at: server, name: "elizabeth")
      let foreign = Mutex<WireSessionCreated?>(nil)
      vault.lie { request, honest in
        guard request.uri.path == Route.sessions, request.method == .post else { return nil }
        let answer = try await honest(request)
        let mine = try WireSessionCreated(serializedBytes: try await answer.bytes())
        defer { foreign.withLock { $0 = mine } }
        guard let theirs = foreign.withLock({ $0 }) else {
          return .message(try mine.serializedBytes())
        }
        var lie = mine
        lie.passwordSlot = theirs.passwordSlot
        lie.keyring = theirs.keyring
        return .message(try lie.serializedBytes())
      }
      try await other.engine.logIn(password: password())
      await #expect(throws: JournalError.keysRefused) {
        try await a.engine.logIn(password: password())
      }
    }
  }

  @Test func `A2: a key of the server's own is refused, and nothing is sent under it`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.a.journal.write(title: "two", content: "waiting")
      vault.lie(
        session { created in
          guard let uid = ObjectID(created.uid) else { return }
          let key = VaultKey.make(epoch: created.epoch)
          created.passwordSlot = Data(
            Slot.seal(
              key, profile: 2, base: HeadPoint(generation: 1, seq: 1, hash: .zero), as: .password,
              under: .random(count: 32), uid: uid))
          created.keyring = Data(Keyring(current: key).sealOlder(seq: 1, uid: uid))
        })
      vault.forgetRequests()
      await #expect(throws: JournalError.keysRefused) {
        try await pair.a.engine.logIn(password: password())
      }
      await #expect(throws: JournalError.keysRefused) { try await TestDevice().join(at: server) }
      #expect(!vault.seen.contains("POST \(Route.commits)"))
      #expect(!vault.seen.contains("PUT \(Route.keyring)"))
      #expect(try pair.a.journal.syncStatus().pending == 1)
    }
  }

  @Test func `A2: another epoch or generation than the slot's own is refused`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      for change: @Sendable (inout WireSessionCreated) -> Void in [
        { $0.epoch += 1 }, { $0.generation = 0 },
      ] {
        vault.lie(session(change))
        await #expect(throws: JournalError.keysRefused) {
          try await pair.a.engine.logIn(password: password())
        }
        await #expect(throws: JournalError.keysRefused) { try await TestDevice().join(at: server) }
      }
    }
  }

  @Test func `A3: a server whose answer does not verify hears nothing after KE1`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      // The masked envelope; the MAC over the transcript.
      for place in [100, 319] {
        vault.lie { request, honest in
          guard request.uri.path == Route.login else { return nil }
          var answer = try WireLoginAnswer(serializedBytes: try await honest(request).bytes())
          answer.ke2[place] ^= 1
          return .message(try answer.serializedBytes())
        }
        vault.forgetRequests()
        await #expect(throws: JournalError.wrongPassword) {
          try await pair.a.engine.logIn(password: password())
        }
        #expect(vault.seen.last == "POST \(Route.login)")
        #expect(!vault.seen.contains("POST \(Route.sessions)"))
      }
    }
  }
}
