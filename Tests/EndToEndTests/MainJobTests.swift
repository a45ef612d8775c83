// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Testing

/// Two devices that share the account `samuel`, in step.
struct Pair: Sendable {
  let a: TestDevice
  let b: TestDevice

  init(at server: ServerAddress, _ entries: [String] = []) async throws {
    let clock = TestClock()
    a = try TestDevice(clock: clock)
    b = try TestDevice(clock: clock)
    for entry in entries { try a.journal.write(title: entry, content: "\(entry) text") }
    try await a.register(at: server)
    try await b.join(at: server)
  }

  /// Syncs both until neither has anything to say.
  func settle() async throws {
    for _ in 0..<4 {
      try await a.engine.sync()
      try await b.engine.sync()
    }
  }

  /// Both show the same, in the same vault state.
  func agree() throws -> Bool {
    try a.entries() == b.entries()
      && a.journal.syncStatus().fingerprint == b.journal.syncStatus().fingerprint
  }
}

/// On both stores, one after the other: each on PostgreSQL makes a schema of its own.
@Suite(.serialized) struct MainJobTests {
  @Test(arguments: VaultDriver.allCases)
  func `what one device wrote is read on another`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.a.journal.write(title: "two", content: "second")
      try await pair.a.engine.sync()
      try await pair.b.engine.sync()
      #expect(try pair.b.entries() == ["one: one text", "two: second"])
      #expect(try pair.agree())
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `two devices that wrote offline agree after a sync`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.a.journal.write(title: "from a", content: "a")
      try pair.b.journal.write(title: "from b", content: "b")
      try await pair.settle()
      #expect(try pair.a.entries() == ["from a: a", "from b: b", "one: one text"])
      #expect(try pair.agree())
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a device that joins with entries of its own merges them in`(on driver: VaultDriver)
    async throws
  {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let (a, b) = (try TestDevice(), try TestDevice())
      try a.journal.write(title: "from a", content: "a")
      try b.journal.write(title: "from b", content: "b")
      try await a.register(at: server)
      try await b.join(at: server)
      try await a.engine.sync()
      #expect(try a.entries() == ["from a: a", "from b: b"])
      #expect(try b.entries() == a.entries())
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `after turning encryption on, nothing that the old key opens is left`(on driver: VaultDriver)
    async throws
  {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      let names = try FileManager.default.contentsOfDirectory(atPath: a.folder.path)
      #expect(!names.contains("vault.key") && names.contains("vault.slot"))
      #expect(try a.journal.state().epoch == 1)
      #expect(try a.journal.check().quarantined == 0)
      let log = try Data(contentsOf: a.folder.appending(path: "journal.sqlite-wal"))
      #expect(log.count < 100_000)
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a journal with encryption on is unlocked offline by its password`(on driver: VaultDriver)
    async throws
  {
    let vault = try await TestVault(on: driver)
    let a = try TestDevice()
    try await vault.serve { server in
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
    }
    a.journal.keys.lock()
    await #expect(throws: JournalError.wrongPassword) {
      try await a.journal.unlock(password: password("wrong"))
    }
    try await a.journal.unlock(password: password())
    #expect(try a.entries() == ["one: text"])
  }

  @Test(arguments: VaultDriver.allCases)
  func `a kit that is not confirmed makes no account`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      let wish = AccountWish(server: server, name: "samuel")
      await #expect(throws: JournalError.kitNotConfirmed) {
        try await a.engine.turnEncryptionOn(
          wish, password: password(), confirm: { _ in false })
      }
      #expect(try a.journal.state().account == nil)
      #expect(!vault.seen.contains { $0.hasPrefix("POST") })
      try await a.register(at: server)
      #expect(try a.entries() == ["one: text"])
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a taken name is refused, and another one goes on`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let (a, b) = (try TestDevice(), try TestDevice())
      try await a.register(at: server)
      try b.journal.write(title: "one", content: "text")
      await #expect(throws: JournalError.nameTaken) { try await b.register(at: server) }
      try await b.register(at: server, name: "elizabeth")
      #expect(try b.entries() == ["one: text"])
      b.journal.keys.lock()
      try await b.journal.unlock(password: password())
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a sync with nothing changed is one request`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.settle()
      vault.forgetRequests()
      let report = try await pair.a.engine.sync()
      #expect(report.isEmpty)
      #expect(vault.seen == ["GET /v1/changes"])
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a first sync of many entries comes in pages and is whole`(on driver: VaultDriver)
    async throws
  {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let a = try TestDevice()
      for number in 0..<2_500 {
        try a.journal.write(title: "\(number)", content: String(repeating: "x", count: 1_500))
      }
      try await a.register(at: server)
      let b = try TestDevice()
      let report = try await b.join(at: server)
      #expect(report.received == 2_500)
      #expect(try b.journal.list().count == 2_500)
      #expect(try a.journal.syncStatus().fingerprint == b.journal.syncStatus().fingerprint)
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `encryption off leaves a plain journal, and joining again doubles nothing`(
    on driver: VaultDriver
  )
    async throws
  {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      try await pair.b.engine.turnEncryptionOff(password: password())
      #expect(try pair.b.journal.state().account == nil)
      #expect(try pair.b.entries() == ["one: one text", "two: two text"])
      try pair.b.journal.write(title: "three", content: "off")
      try await pair.b.join(at: server)
      try await pair.settle()
      #expect(try pair.a.entries() == ["one: one text", "three: off", "two: two text"])
      #expect(try pair.agree())
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `an ended session asks for the password and loses nothing`(on driver: VaultDriver)
    async throws
  {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "two", content: "waiting")
      let other = try #require(
        try await pair.a.engine.devices(password: password()).first { !$0.isThis })
      for device in try await pair.a.engine.devices(password: password()) where !device.isThis {
        try await pair.a.engine.endSession(device.session, password: password())
      }
      #expect(other.session > 0)
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await pair.b.engine.sync()
      }
      try await pair.b.engine.logIn(password: password())
      try await pair.settle()
      #expect(try pair.a.entries() == ["one: one text", "two: waiting"])
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `a changed password is the only one that opens`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.a.engine.changePassword(from: password(), to: password("another one"))
      pair.a.journal.keys.lock()
      await #expect(throws: JournalError.wrongPassword) {
        try await pair.a.journal.unlock(password: password())
      }
      try await pair.a.journal.unlock(password: password("another one"))
      // The other device opens with the old one until its next login.
      pair.b.journal.keys.lock()
      try await pair.b.journal.unlock(password: password())
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await pair.b.engine.sync()
      }
      await #expect(throws: JournalError.wrongPassword) {
        try await pair.b.engine.logIn(password: password())
      }
      try await pair.b.engine.logIn(password: password("another one"))
      try pair.b.journal.write(title: "two", content: "after")
      try await pair.settle()
      #expect(try pair.agree())
      pair.b.journal.keys.lock()
      try await pair.b.journal.unlock(password: password("another one"))
    }
  }

  @Test(arguments: VaultDriver.allCases)
  func `devices tell each other their names, sealed`(on driver: VaultDriver) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let pair = try await Pair(at: server)
      try await pair.b.engine.tell(name: "the phone")
      let names = try await pair.a.engine.devices(password: password()).map { $0.label?.name }
      #expect(names.contains("the phone"))
    }
  }
}
