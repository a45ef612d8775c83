// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import Sodium
import Synchronization
import Testing
import VaultProtocol

/// What was on the kits that were shown, the last one last.
final class Kits: Sendable {
  private let shown = Mutex<[String]>([])

  /// Takes a kit down, as its owner would.
  func take(_ kit: borrowing RecoveryKit) -> Bool {
    let text = kit.code.withBytes { code in
      String(decoding: code.indices.map { code[$0] }, as: UTF8.self)
    }
    shown.withLock { $0.append(text) }
    return true
  }

  var all: [String] { shown.withLock { $0 } }

  /// The code on the newest kit, as typed.
  var newest: SecretBytes { password(all.last ?? "") }
}

extension TestDevice {
  /// Turns encryption on as `samuel`, whose kit goes to `kits`.
  func register(at server: ServerAddress, _ kits: Kits) async throws {
    try await engine.turnEncryptionOn(
      AccountWish(server: server, name: "samuel"), password: password(),
      confirm: { kits.take($0) })
  }

  /// Recovers with the newest kit; the next one goes there too.
  @discardableResult
  func recover(
    at server: ServerAddress?, _ kits: Kits, to text: String = "another one"
  ) async throws -> SyncReport {
    try await engine.recover(
      server.map { AccountWish(server: $0, name: "samuel") }, code: kits.newest,
      newPassword: password(text), confirm: { kits.take($0) })
  }
}

/// A forgotten password, and the kit.
@Suite struct KitTests {
  @Test(arguments: VaultDriver.allCases)
  func `the kit opens everything on a device that never saw it, and the old ways are shut`(
    on driver: VaultDriver
  ) async throws {
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      for number in 0..<5 { try a.journal.write(title: "\(number)", content: "text") }
      try await a.register(at: server, kits)
      let first = kits.newest
      try b.journal.write(title: "own", content: "of b")
      try await b.recover(at: server, kits)
      #expect(kits.all.count == 2)
      #expect(try b.entries().count == 6)
      #expect(try b.journal.state().epoch == 2)
      #expect(try b.journal.syncStatus().toReseal == 0)
      // The other device asks for the new password, and knows no other.
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        try await a.engine.sync()
      }
      await #expect(throws: JournalError.wrongPassword) {
        try await a.engine.logIn(password: password())
      }
      try await a.engine.logIn(password: password("another one"))
      try await a.engine.sync()
      #expect(try a.entries() == b.entries())
      // The kit is spent, and the new one opens.
      await #expect(throws: JournalError.kitRefused) { try await a.engine.rehearse(code: first) }
      #expect(try await a.engine.rehearse(code: kits.newest).isNewer == false)
    }
  }

  @Test func `a locked device recovers in place, and what waits on it is kept and merged`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      try await b.join(at: server)
      try a.journal.write(title: "waits", content: "on a")
      try b.journal.write(title: "news", content: "of b")
      try await b.engine.sync()
      a.journal.keys.lock()
      try await a.recover(at: nil, kits)
      #expect(try a.entries() == ["news: of b", "one: text", "waits: on a"])
      a.journal.keys.lock()
      try await a.journal.unlock(password: password("another one"))
      a.journal.keys.lock()
      await #expect(throws: JournalError.wrongPassword) {
        try await a.journal.unlock(password: password())
      }
      try await b.engine.logIn(password: password("another one"))
      try await b.engine.sync()
      #expect(try b.entries().count == 3)
    }
  }

  @Test func `a device that missed a rotation recovers with the newer kit`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      try await b.join(at: server)
      try b.journal.write(title: "two", content: "waits")
      try await a.engine.rotateKeys(
        from: password(), to: password("second"), confirm: { kits.take($0) })
      b.journal.keys.lock()
      #expect(try await b.engine.rehearse(code: kits.newest).isNewer)
      try await b.recover(at: server, kits, to: "third")
      #expect(try b.journal.state().epoch == 3)
      #expect(try b.entries() == ["one: text", "two: waits"])
      try await a.engine.logIn(password: password("third"))
      try await a.engine.sync()
      #expect(try a.entries() == b.entries())
    }
  }

  @Test func `slips and wrong codes are told apart, and change nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try await a.register(at: server, kits)
      let code = try #require(kits.all.last)
      let slip = String(code.dropLast()) + (code.last == "0" ? "1" : "0")
      let other = RecoveryCode.text(of: RecoveryCode.make())
      let state = try a.journal.state()
      for (typed, error) in [
        (slip, JournalError.badCode(.check)), (String(code.dropLast()), .badCode(.length)),
        ("U" + code.dropFirst(), .badCode(.alphabet)),
      ] {
        await #expect(throws: error) { try await a.engine.rehearse(code: password(typed)) }
        await #expect(throws: error) {
          try await b.engine.recover(
            AccountWish(server: server, name: "samuel"), code: password(typed),
            newPassword: password("another one"), confirm: { _ in true })
        }
      }
      await #expect(throws: JournalError.kitRefused) { try await a.engine.rehearse(code: other) }
      await #expect(throws: JournalError.kitRefused) {
        try await b.engine.recover(
          AccountWish(server: server, name: "nobody"), code: kits.newest,
          newPassword: password("another one"), confirm: { _ in true })
      }
      // As typed by people.
      let typed = code.lowercased().replacingOccurrences(of: "-", with: " ")
      _ = try await a.engine.rehearse(code: password(typed))
      #expect(try a.journal.state() == state)
      #expect(try b.journal.state().account == nil)
      try await a.engine.sync()
    }
  }

  @Test func `a kit that is not confirmed changes nothing`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, kits) = (try TestDevice(), Kits())
      try await a.register(at: server, kits)
      await #expect(throws: JournalError.kitNotConfirmed) {
        try await a.engine.recover(
          nil, code: kits.newest, newPassword: password("another one"), confirm: { _ in false })
      }
      await #expect(throws: JournalError.kitNotConfirmed) {
        try await a.engine.makeRecoveryKit(password: password(), confirm: { _ in false })
      }
      _ = try await a.engine.rehearse(code: kits.newest)
      try await a.engine.logIn(password: password())
      try await a.engine.sync()
    }
  }

  @Test func `a new kit opens, the one before does not, and nobody logs in again`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      try await b.join(at: server)
      let first = kits.newest
      try await a.engine.makeRecoveryKit(password: password(), confirm: { kits.take($0) })
      await #expect(throws: JournalError.kitRefused) { try await a.engine.rehearse(code: first) }
      _ = try await b.engine.rehearse(code: kits.newest)
      try await b.engine.sync()
      try await a.engine.sync()
      #expect(try a.journal.state().epoch == 1)
      #expect(try a.journal.syncStatus().fingerprint == b.journal.syncStatus().fingerprint)
    }
  }

  @Test(arguments: [true, false])
  func `a recovery in doubt is gone on with by the same call, with the same kit`(
    happened: Bool
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server, kits)
      let first = kits.newest
      let isGone = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.credentials {
          if happened { _ = try await honest(request) }
          isGone.withLock { $0 = true }
          return .cut
        }
        return isGone.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.recoveryInDoubt) {
        try await b.recover(at: server, kits)
      }
      vault.lie(nil)
      try await b.engine.recover(
        AccountWish(server: server, name: "samuel"), code: first,
        newPassword: password("another one"), confirm: { kits.take($0) })
      #expect(kits.all.count == 2)
      #expect(try b.entries() == ["one: text"])
      _ = try await b.engine.rehearse(code: kits.newest)
    }
  }

  @Test func `a commit that comes between is stood upon`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b, kits) = (try TestDevice(), try TestDevice(), Kits())
      try await a.register(at: server, kits)
      try await b.engine.recover(
        AccountWish(server: server, name: "samuel"), code: kits.newest,
        newPassword: password("another one"),
        confirm: { kit in
          _ = kits.take(kit)
          do {
            try a.journal.write(title: "between", content: "text")
            _ = try await a.engine.sync()
          } catch {
            return false
          }
          return true
        })
      #expect(try b.entries() == ["between: text"])
    }
  }
}
