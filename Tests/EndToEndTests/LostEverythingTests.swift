// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import Synchronization
import Testing
import VaultProtocol

/// Password and kit are lost, or the kit is all that is left to delete with.
@Suite struct LostEverythingTests {
  private static let delay: Duration = .seconds(Limits.startOverSeconds)

  /// A clock that goes with the server's.
  private func clock() -> TestClock {
    TestClock(Int64(Date().timeIntervalSince1970 * 1_000))
  }

  /// Whether `text` opens `device` offline.
  private func opens(_ device: TestDevice, _ text: String) async -> Bool {
    device.journal.keys.lock()
    return (try? await device.journal.unlock(password: password(text))) != nil
  }

  @Test func `an unlocked device starts over after 72 hours, and the others are told at once`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let (time, kits) = (clock(), Kits())
      let (a, b) = (try TestDevice(clock: time), try TestDevice(clock: time))
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      try await b.join(at: server)
      let wish = try await a.engine.startOver(newPassword: password("third"))
      #expect(wish.isOwn && wish.dueAt > time.now)
      try await b.engine.sync()
      let seen = try #require(try b.journal.syncStatus().startOver)
      #expect(!seen.isOwn && seen.dueAt == wish.dueAt)
      // Until then either password opens the device that asked.
      #expect(await opens(a, "correct horse battery"))
      #expect(await opens(a, "third"))
      await #expect(throws: JournalError.startOverNotDue(wish.dueAt)) {
        try await a.engine.finishStartOver(
          newPassword: password("third"), confirm: { kits.take($0) })
      }
      vault.pass(Self.delay)
      time.pass(Self.delay + .seconds(600))
      try await a.engine.finishStartOver(
        newPassword: password("third"), confirm: { kits.take($0) })
      try await a.engine.sync()
      #expect(try a.journal.state().epoch == 2)
      #expect(try a.journal.syncStatus().startOver == nil)
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await b.engine.sync()
      }
      try await b.engine.logIn(password: password("third"))
      try await b.engine.sync()
      #expect(try b.entries() == ["one: text"])
      #expect(try b.journal.syncStatus().startOver == nil)
      _ = try await b.engine.rehearse(code: kits.newest)
      #expect(await opens(a, "third"))
      #expect(await !opens(a, "correct horse battery"))
    }
  }

  @Test(arguments: [true, false])
  func `a refusal or a login takes the wish back`(isLogin: Bool) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let time = clock()
      let (a, b) = (try TestDevice(clock: time), try TestDevice(clock: time))
      try await a.register(at: server)
      try await b.join(at: server)
      _ = try await a.engine.startOver(newPassword: password("a thief's"))
      try await b.engine.sync()
      if isLogin {
        try await b.engine.logIn(password: password())
        try await b.engine.sync()
      } else {
        try await b.engine.refuseStartOver()
      }
      #expect(try b.journal.syncStatus().startOver == nil)
      vault.pass(Self.delay)
      time.pass(Self.delay + .seconds(600))
      await #expect(throws: JournalError.startOverRefused) {
        try await a.engine.finishStartOver(
          newPassword: password("a thief's"), confirm: { _ in true })
      }
      try await b.engine.logIn(password: password())
    }
  }

  @Test func `a start-over whose answer is lost is found taken by the same call`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (time, kits) = (clock(), Kits())
      let a = try TestDevice(clock: time)
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      _ = try await a.engine.startOver(newPassword: password("third"))
      vault.pass(Self.delay)
      time.pass(Self.delay + .seconds(600))
      let isGone = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.credentials {
          _ = try await honest(request)
          isGone.withLock { $0 = true }
          return .cut
        }
        return isGone.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.passwordInDoubt) {
        try await a.engine.finishStartOver(
          newPassword: password("third"), confirm: { kits.take($0) })
      }
      vault.lie(nil)
      try await a.engine.finishStartOver(
        newPassword: password("third"), confirm: { kits.take($0) })
      try await a.engine.sync()
      #expect(kits.all.count == 2)
      #expect(try a.entries() == ["one: text"])
      _ = try await a.engine.rehearse(code: kits.newest)
    }
  }

  @Test func `a reset is told as the operator's act, and what is here begins anew`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try pair.b.journal.write(title: "two", content: "waits")
      let uid = try pair.a.journal.state().uid
      try await vault.reset("samuel")
      for device in [pair.a, pair.b] {
        let entries = try device.entries()
        do {
          try await device.engine.sync()
          Issue.record("a reset is no sync")
        } catch {
          guard case JournalError.accountReset = error else {
            Issue.record("\(error)")
            return
          }
        }
        #expect(try device.entries() == entries)
        #expect(try device.journal.syncStatus().fault == .accountReset)
        #expect(try device.journal.syncStatus().isOn)
        try await device.engine.turnEncryptionOff(password: password())
      }
      try await pair.a.register(at: server)
      #expect(try pair.a.journal.state().uid != uid)
      #expect(try pair.a.journal.state().pin?.generation == 1)
      try await pair.b.join(at: server)
      try await pair.settle()
      #expect(try pair.agree())
      #expect(try pair.a.entries() == ["one: one text", "two: waits"])
    }
  }

  @Test func `a deletion without certificate and without a good receipt is not believed`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await vault.reset("samuel")
      vault.lie { request, honest in
        let answer = try await honest(request)
        guard answer.status == .gone else { return answer }
        var text = String(decoding: try await answer.bytes(), as: UTF8.self)
        text = text.replacingOccurrences(of: "\"generation\":1", with: "\"generation\":2")
        return Response(
          status: .gone, headers: answer.headers, body: .init(byteBuffer: .init(string: text)))
      }
      await #expect(throws: JournalError.untrustedDeletion) { try await pair.a.engine.sync() }
    }
  }

  @Test(arguments: [true, false])
  func `the kit deletes the cloud copy, with receipt and certificate`(account: Bool) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      try await b.join(at: server)
      try b.journal.write(title: "two", content: "text")
      try await b.engine.sync()
      a.journal.keys.lock()
      await #expect(throws: JournalError.badCode(.length)) {
        _ = try await a.engine.deleteCloudData(code: password("A"))
      }
      let receipt = try await a.engine.deleteCloudData(code: kits.newest, account: account)
      #expect(receipt.records == 2 && receipt.includesAccount == account)
      // What was there came first.
      #expect(try a.entries().count == 2)
      do {
        try await b.engine.sync()
        Issue.record("the copy is there")
      } catch {
        guard case JournalError.deleted = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
  }

  @Test func `the kit deletes nothing that this device does not have`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try await a.register(at: server, kits)
      try await b.join(at: server)
      try await b.engine.changePassword(from: password(), to: password("another one"))
      try b.journal.write(title: "two", content: "text")
      try await b.engine.sync()
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        _ = try await a.engine.deleteCloudData(code: kits.newest)
      }
      try await b.engine.sync()
      // Recovering brings it here, and then it may go.
      try await a.recover(at: nil, kits, to: "third")
      let receipt = try await a.engine.deleteCloudData(code: kits.newest)
      #expect(receipt.records == 1)
    }
  }
}
