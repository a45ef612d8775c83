// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Sodium
import TestSupport
import Testing

/// Recoveries killed with SIGKILL at random points.
@Suite struct KitKillTests {
  /// What opens the account at the server: password and kit.
  private struct Ways {
    var password: String
    var code: String

    /// Whether both open it, or neither does; anything else fails.
    func open(_ probe: TestDevice) async throws -> Bool {
      var opens: [Bool] = []
      do {
        try await probe.engine.logIn(password: EndToEndTests.password(password))
        opens.append(true)
      } catch {
        #expect(error == .wrongPassword)
        opens.append(false)
      }
      do {
        _ = try await probe.engine.rehearse(code: EndToEndTests.password(code))
        opens.append(true)
      } catch {
        #expect(error == .kitRefused)
        opens.append(false)
      }
      #expect(Set(opens).count == 1)
      return opens.allSatisfy { $0 }
    }
  }

  @Test(arguments: [true, false])
  func `a killed recovery opens with exactly one of old and new, and a repeat finishes it`(
    inPlace: Bool
  ) async throws {
    var random = SeededGenerator(for: "KitKillTests \(inPlace)")
    let pauses = (0..<8).map { _ in Int.random(in: 10...220, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let (probe, kits) = (try TestDevice(), Kits())
      for number in 0..<20 { try probe.journal.write(title: "\(number)", content: "text") }
      try await probe.register(at: server, kits)
      var now = Ways(password: "correct horse battery", code: try #require(kits.all.last))
      var device = try TestDevice()
      if inPlace { try await device.join(at: server) }
      for (round, pause) in pauses.enumerated() {
        if !inPlace { device = try TestDevice() }
        try device.journal.close(writing: "own \(round)", locking: inPlace)
        let command = [
          "recover", device.folder.path, server.url, "samuel", now.code, "password \(round)",
        ]
        var next = Ways(password: "password \(round)", code: "")
        let said = try await KillTests().run(command, killAfter: .milliseconds(pause))
        next.code = said.last { $0 != "done" } ?? ""
        let isOld = try await now.open(probe)
        if !next.code.isEmpty { #expect(try await next.open(probe) != isOld) }
        #expect(!isOld || said.last != "done")
        // Again, it goes on, with the kit that was confirmed if its request is on the disk.
        if said.last != "done" {
          let more = try await KillTests().run(command, killAfter: nil)
          #expect(more.last == "done")
          next.code = more.last { $0 != "done" } ?? next.code
        }
        #expect(try await next.open(probe))
        #expect(try await !now.open(probe))
        try await probe.engine.logIn(password: password(next.password))
        try await probe.engine.sync()
        try await device.journal.unlock(password: password(next.password))
        try await device.engine.sync()
        try await probe.engine.sync()
        #expect(try device.entries() == probe.entries())
        #expect(try device.entries().count == 21 + round)
        now = next
      }
    }
  }
}

extension Journal {
  /// Writes an entry that waits, and locks.
  fileprivate func close(writing title: String, locking: Bool) throws {
    try write(title: title, content: "waits")
    if locking { keys.lock() }
  }
}
