// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import Synchronization
import Testing
import VaultProtocol

/// "Someone may know my password": another key, another password, another kit.
@Suite struct RotationTests {
  @Test func `a device that was there for nothing of it goes on with sealing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      try await rotate(pair.a)
      try await pair.b.engine.logIn(password: password("another one"))
      let report = try await pair.b.engine.sync()
      #expect(report.resealed == 2)
      #expect(try epochs(pair.b) == [2, 2])
      try await pair.settle()
      #expect(try pair.agree())
      let c = try TestDevice()
      try await c.engine.join(
        AccountWish(server: server, name: "samuel"), password: password("another one"))
      #expect(try c.entries() == pair.a.entries())
    }
  }

  @Test func `what waits under the old key is sealed anew before it goes`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "edited" }
      try pair.a.journal.write(title: "two", content: "new")
      try await rotate(pair.a)
      let report = try await pair.a.engine.sync()
      #expect(report.sent == 2 && report.resealed == 0)
      #expect(try epochs(pair.a) == [2, 2])
      #expect(try pair.a.entries() == ["one: edited", "two: new"])
    }
  }

  @Test func `nothing that is written after opens with the old key`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      // What a thief of the old password has: the device's slot from before.
      let thief = try Data(contentsOf: a.journal.home.slotFile)
      try await rotate(a)
      try await a.engine.sync()
      let folder = a.folder
      a.journal.keys.lock()
      try thief.write(to: a.journal.home.slotFile)
      let stolen = try Journal.open(in: Home(folder), environment: a.journal.environment)
      await #expect(throws: JournalError.keysChanged) {
        try await stolen.unlock(password: password())
      }
      #expect(!stolen.keys.isUnlocked)
    }
  }

  @Test func `a kit that is not confirmed changes nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      await #expect(throws: JournalError.kitNotConfirmed) {
        try await rotate(pair.a, confirm: false)
      }
      #expect(!vault.seen.contains("PUT \(Route.credentials)"))
      try await pair.settle()
      #expect(try pair.agree() && pair.a.journal.state().epoch == 1)
    }
  }

  @Test func `the password that may be known is no new one`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      await #expect(throws: JournalError.self) { try await rotate(a, to: "correct horse battery") }
      #expect(try a.journal.state().epoch == 1)
    }
  }

  @Test(arguments: [true, false])
  func `a rotation in doubt opens with one password, and a repeat finishes it without another kit`(
    happened: Bool
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let isGone = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.credentials {
          if happened { _ = try await honest(request) }
          isGone.withLock { $0 = true }
          return .cut
        }
        return isGone.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.passwordInDoubt) { try await rotate(pair.a) }
      #expect(try pair.a.journal.syncStatus().isRotationInDoubt)
      #expect(await !opens(pair.a, "another one"))
      #expect(await opens(pair.a, "correct horse battery"))
      vault.lie(nil)
      // Another device is in nobody's way.
      try pair.b.journal.write(title: "two", content: "later")
      _ = try? await pair.b.engine.sync()
      try await pair.a.engine.rotateKeys(
        from: password(), to: password("another one"),
        confirm: { _ in
          Issue.record("a second kit")
          return true
        })
      try await pair.a.engine.sync()
      #expect(try !pair.a.journal.syncStatus().isRotationInDoubt)
      #expect(await opens(pair.a, "another one"))
      #expect(await !opens(pair.a, "correct horse battery"))
      #expect(await opens(pair.a, "another one"))
      try await pair.b.engine.logIn(password: password("another one"))
      try await pair.settle()
      #expect(try pair.agree() && pair.a.entries().count == 2)
      #expect(try epochs(pair.a) == [2, 2])
    }
  }

  @Test func `a rotation that happened unheard is found by logging in with its password`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let isGone = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.credentials {
          _ = try await honest(request)
          isGone.withLock { $0 = true }
          return .cut
        }
        return isGone.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.passwordInDoubt) { try await rotate(pair.a) }
      vault.lie(nil)
      try await pair.a.engine.logIn(password: password("another one"))
      #expect(try !pair.a.journal.syncStatus().isRotationInDoubt)
      try await pair.a.engine.sync()
      #expect(try pair.a.journal.state().epoch == 2)
      #expect(try epochs(pair.a) == [2])
    }
  }

  @Test func `a refused rotation stays ready, and another new password begins it anew`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      vault.lie { request, _ in
        request.uri.path == Route.credentials ? .problem(.internalError) : nil
      }
      await #expect(throws: JournalError.serverProblem(.internalError)) { try await rotate(a) }
      #expect(await opens(a, "correct horse battery"))
      vault.lie(nil)
      let kits = Mutex(0)
      try await a.engine.rotateKeys(from: password(), to: password("a third one")) { _ in
        kits.withLock { $0 += 1 }
        return true
      }
      #expect(kits.withLock { $0 } == 1)
      try await a.engine.sync()
      #expect(await opens(a, "a third one"))
      #expect(try a.entries() == ["one: text"])
    }
  }

  @Test func `two rotations leave every state readable, and a device that missed both goes on`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let id = try #require(try pair.a.journal.list().first).id
      try await rotate(pair.a)
      try await pair.a.engine.sync()
      try await rotate(pair.a, to: "a third one", from: "another one")
      try await pair.a.engine.sync()
      try await pair.b.engine.logIn(password: password("a third one"))
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.journal.state().epoch == 3)
      #expect(try pair.a.journal.history(id).count == 3)
      #expect(try pair.a.journal.check().quarantined == 0)
    }
  }

  @Test
  func `more records than a commit holds are sealed anew in several, from where a cut left off`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      for number in 0..<2_100 { try a.journal.write(title: "\(number)", content: "text") }
      try await a.register(at: server)
      try await rotate(a)
      let commits = Mutex(0)
      vault.lie { request, _ in
        guard request.uri.path == Route.commits else { return nil }
        let number = commits.withLock { count in
          count += 1
          return count
        }
        return number > 1 ? .cut : nil
      }
      await #expect(throws: JournalError.offline(.cut)) { try await a.engine.sync() }
      #expect(try a.journal.syncStatus().toReseal == 1_100)
      vault.lie(nil)
      try await a.engine.sync()
      #expect(try a.journal.syncStatus().toReseal == 0)
      #expect(Set(try epochs(a)) == [2])
      #expect(try a.journal.list().count == 2_100)
    }
  }

  @Test func `a stronger cost is the same password, and a later change keeps it`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      #expect(try await pair.a.engine.strengthenPassword(password()))
      #expect(try await !pair.a.engine.strengthenPassword(password()))
      #expect(await opens(pair.a, "correct horse battery"))
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await pair.b.engine.sync()
      }
      try await pair.b.engine.logIn(password: password())
      try await pair.settle()
      #expect(try profile(pair.a) == 3 && profile(pair.b) == 3)
      try await pair.a.engine.changePassword(from: password(), to: password("another one"))
      #expect(try profile(pair.a) == 3)
    }
  }

  @Test(arguments: [true, false])
  func `a stronger cost whose answer was lost is found out by logging in`(
    happened: Bool
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      vault.lie { request, honest in
        guard request.uri.path == Route.credentials else { return nil }
        if happened { _ = try await honest(request) }
        return .cut
      }
      if happened {
        #expect(try await a.engine.strengthenPassword(password()))
      } else {
        await #expect(throws: JournalError.offline(.cut)) {
          try await a.engine.strengthenPassword(password())
        }
      }
      #expect(try profile(a) == (happened ? 3 : 2))
      #expect(await opens(a, "correct horse battery"))
    }
  }

  /// The cost in the device's slot.
  private func profile(_ device: TestDevice) throws -> UInt8 {
    try LocalFile([UInt8](Data(contentsOf: device.journal.home.slotFile))).profile
  }
}

private func rotate(
  _ device: TestDevice, to text: String = "another one",
  from old: String = "correct horse battery",
  confirm: Bool = true
) async throws {
  try await device.engine.rotateKeys(
    from: password(old), to: password(text), confirm: { _ in confirm })
}

/// Whether `text` opens `device` offline.
private func opens(_ device: TestDevice, _ text: String) async -> Bool {
  device.journal.keys.lock()
  return (try? await device.journal.unlock(password: password(text))) != nil
}

/// The epochs in the headers of the newest blobs of what `device` shows; once nothing waits, those
/// are the vault's, for its head's root is over their hashes.
private func epochs(_ device: TestDevice) throws -> [UInt32] {
  #expect(try device.journal.syncStatus().pending == 0)
  return try device.journal.list().map { line in
    let newest = try #require(try device.journal.history(line.id).map(\.revision).max())
    let blob = try device.journal.rawBlob(line.id, revision: newest)
    return blob[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
  }
}

// On both stores, one after the other.
extension MainJobTests {
  @Test(arguments: VaultDriver.allCases)
  func `every record is sealed anew, and another device goes on with the new password`(
    on driver: VaultDriver
  ) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two", "three"])
      try pair.a.journal.delete(try #require(try pair.a.journal.list().first).id)
      try await pair.settle()
      try pair.b.journal.write(title: "four", content: "waiting on b")
      try await rotate(pair.a)
      #expect(try pair.a.journal.syncStatus().toReseal == 3)
      let report = try await pair.a.engine.sync()
      #expect(report.resealed == 3 && report.sent == 0)
      #expect(try pair.a.journal.syncStatus().toReseal == 0)
      #expect(try epochs(pair.a) == [2, 2])
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await pair.b.engine.sync()
      }
      await #expect(throws: JournalError.wrongPassword) {
        try await pair.b.engine.logIn(password: password())
      }
      try await pair.b.engine.logIn(password: password("another one"))
      let came = try await pair.b.engine.sync()
      #expect(came.received == 0 && came.merges.isEmpty && came.resealed == 3)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries().count == 3)
      #expect(try epochs(pair.a) == [2, 2, 2])
      for device in [pair.a, pair.b] {
        #expect(await opens(device, "another one"))
        #expect(await !opens(device, "correct horse battery"))
        #expect(await opens(device, "another one"))
        #expect(try device.journal.state().epoch == 2)
      }
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a commit that comes in between moves the new key's first head, not the kit`(
    on driver: VaultDriver
  ) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let kits = Mutex(0)
      let isFirst = Mutex(true)
      let b = pair.b
      try b.journal.write(title: "two", content: "in between")
      vault.lie { request, honest in
        guard request.uri.path == Route.credentials else { return nil }
        let first = isFirst.withLock { first in
          defer { first = false }
          return first
        }
        if first { try await b.engine.sync() }
        return nil
      }
      try await pair.a.engine.rotateKeys(from: password(), to: password("another one")) { _ in
        kits.withLock { $0 += 1 }
        return true
      }
      #expect(kits.withLock { $0 } == 1)
      #expect(vault.seen.filter { $0 == "PUT \(Route.credentials)" }.count == 2)
      try await pair.a.engine.sync()
      #expect(try pair.a.entries() == ["one: one text", "two: in between"])
      #expect(try epochs(pair.a) == [2, 2])
    }
  }
}
