// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import TestSupport
import Testing

/// Processes killed with SIGKILL at random points of a sync or of turning encryption on.
@Suite struct KillTests {
  @Test func `C12: a killed sync loses and doubles nothing that was acknowledged`() async throws {
    var random = SeededGenerator(for: "KillTests sync")
    let pauses = (0..<12).map { _ in Int.random(in: 20...250, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      var saved: [String] = []
      for (round, pause) in pauses.enumerated() {
        saved += try await run(
          ["write", a.folder.path, "r\(round)"], killAfter: .milliseconds(pause))
      }
      try await a.engine.sync()
      let b = try TestDevice()
      try await b.join(at: server)
      let texts = try b.entries().map { String($0.dropFirst(2)) }
      #expect(Set(texts).count == texts.count)
      #expect(Set(texts).isSuperset(of: saved))
      #expect(try a.entries() == b.entries())
      #expect(saved.count > 5)
    }
  }

  @Test func `turning encryption on goes on after any kill, and ends with one account`()
    async throws
  {
    var random = SeededGenerator(for: "KillTests encrypt")
    let pauses = (0..<25).map { _ in Int.random(in: 5...160, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      for number in 0..<120 { try a.journal.write(title: "\(number)", content: "text") }
      let entries = try a.entries()
      let command = ["encrypt", a.folder.path, server.url, "samuel"]
      for pause in pauses {
        let said = try await run(command, killAfter: .milliseconds(pause))
        if said == ["done"] { break }
        // Whatever was done so far, the journal is there, under the one key or the other.
        let between = try Journal.open(in: a.journal.home, environment: a.journal.environment)
        if !between.keys.isUnlocked { try await between.unlock(password: password()) }
        #expect(try between.list().count == 120)
      }
      let again = try TestDevice(in: a.folder)
      if try again.journal.syncStatus().isOn == false || again.journal.state().accountStep != "" {
        _ = try await run(command, killAfter: nil)
      }
      try await again.journal.unlock(password: password())
      try await again.engine.sync()
      #expect(try again.entries() == entries)
      #expect(!FileManager.default.fileExists(atPath: a.journal.home.keyFile.path))
      let b = try TestDevice()
      try await b.join(at: server)
      #expect(try b.entries() == entries)
    }
  }

  @Test func `a killed password change leaves a password that opens, and goes on`() async throws {
    var random = SeededGenerator(for: "KillTests password")
    let pauses = (0..<10).map { _ in Int.random(in: 5...140, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      var passwords = ["correct horse battery", "another one"]
      for pause in pauses {
        let said = try await run(
          ["password", a.folder.path] + passwords, killAfter: .milliseconds(pause))
        let journal = try Journal.open(in: a.journal.home, environment: a.journal.environment)
        if said == ["done"] { passwords.swapAt(0, 1) }
        // The present password always opens this device.
        try await journal.unlock(password: password(passwords[0]))
        #expect(try journal.list().count == 1)
      }
      #expect(try await run(["password", a.folder.path] + passwords, killAfter: nil) == ["done"])
      let again = try TestDevice(in: a.folder)
      try await again.journal.unlock(password: password(passwords[1]))
      try await again.engine.logIn(password: password(passwords[1]))
      await #expect(throws: JournalError.wrongPassword) {
        try await again.engine.logIn(password: password(passwords[0]))
      }
    }
  }

  @Test func `a killed strengthening leaves the password that there was, and goes on`() async throws
  {
    var random = SeededGenerator(for: "KillTests strengthen")
    let pauses = (0..<6).map { _ in Int.random(in: 5...120, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try a.journal.write(title: "one", content: "text")
      try await a.register(at: server)
      let command = ["strengthen", a.folder.path, "correct horse battery"]
      for pause in pauses {
        _ = try await run(command, killAfter: .milliseconds(pause))
        let journal = try Journal.open(in: a.journal.home, environment: a.journal.environment)
        try await journal.unlock(password: password())
      }
      #expect(try await run(command, killAfter: nil) == ["done"])
      let again = try TestDevice(in: a.folder)
      try await again.journal.unlock(password: password())
      try await again.engine.sync()
      #expect(try again.entries() == ["one: text"])
    }
  }

  @Test func `turning encryption off goes on after any kill`() async throws {
    var random = SeededGenerator(for: "KillTests off")
    let pauses = (0..<10).map { _ in Int.random(in: 5...120, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      for number in 0..<60 { try a.journal.write(title: "\(number)", content: "text") }
      try await a.register(at: server)
      let entries = try a.entries()
      for pause in pauses {
        if try await run(["off", a.folder.path], killAfter: .milliseconds(pause)) == ["done"] {
          break
        }
        let between = try Journal.open(in: a.journal.home, environment: a.journal.environment)
        if !between.keys.isUnlocked { try await between.unlock(password: password()) }
        #expect(try between.list().count == 60)
        if try between.state().account == nil { break }
      }
      if try a.journal.state().account != nil {
        #expect(try await run(["off", a.folder.path], killAfter: nil) == ["done"])
      }
      let again = try TestDevice(in: a.folder)
      #expect(try again.journal.keys.isUnlocked && again.entries() == entries)
      try await again.join(at: server)
      #expect(try again.entries() == entries)
    }
  }

  @Test func `joining goes on after any kill`() async throws {
    var random = SeededGenerator(for: "KillTests join")
    let pauses = (0..<10).map { _ in Int.random(in: 5...140, using: &random) }
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b) = (try TestDevice(), try TestDevice())
      for number in 0..<60 { try a.journal.write(title: "\(number)", content: "text") }
      try b.journal.write(title: "own", content: "text")
      try await a.register(at: server)
      let command = ["join", b.folder.path, server.url, "samuel"]
      for pause in pauses {
        if try await run(command, killAfter: .milliseconds(pause)) == ["done"] { break }
        let between = try Journal.open(in: b.journal.home, environment: b.journal.environment)
        if !between.keys.isUnlocked { try await between.unlock(password: password()) }
        #expect(try between.list().count >= 1)
        if try between.state().account != nil { break }
      }
      if try b.journal.state().account == nil { _ = try await run(command, killAfter: nil) }
      let again = try TestDevice(in: b.folder)
      try await again.journal.unlock(password: password())
      try await again.engine.sync()
      try await a.engine.sync()
      #expect(try again.entries() == a.entries())
      #expect(try again.entries().count == 61)
    }
  }

  /// Runs the helper, kills it after a while, and gives the lines that it said.
  ///
  /// On a thread of its own: the server needs those of the cooperative pool.
  func run(_ arguments: [String], killAfter pause: Duration?) async throws -> [String] {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(with: Result { try Self.wait(for: arguments, killAfter: pause) })
      }
    }
  }

  private static func wait(for arguments: [String], killAfter pause: Duration?) throws -> [String] {
    let process = try HelperProcess(helper, arguments)
    if let pause {
      let seconds = Double(pause / .milliseconds(1)) / 1_000
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { process.kill() }
    }
    let said = process.finish()
    // A line without its end was not acknowledged.
    return String(decoding: said, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  /// Beside the test bundle.
  private static let helper: URL = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(filePath: bundle).deletingLastPathComponent().appending(path: "SyncHelper")
  }()
}

// On both stores, one after the other.
extension MainJobTests {
  @Test(arguments: VaultDriver.allCases)
  func `a killed rotation opens with exactly one of old or new, and is finished by a repeat`(
    on driver: VaultDriver
  ) async throws {
    var random = SeededGenerator(for: "KillTests rotate \(driver)")
    let pauses = (0..<14).map { _ in Int.random(in: 5...220, using: &random) }
    let vault = try await TestVault(on: driver)
    try await vault.serve { server in
      let a = try TestDevice()
      for number in 0..<40 { try a.journal.write(title: "\(number)", content: "text") }
      try await a.register(at: server)
      let entries = try a.entries()
      var passwords = ["correct horse battery", "another one"]
      var rotations: UInt32 = 0
      for pause in pauses {
        let said = try await KillTests().run(
          ["rotate", a.folder.path] + passwords, killAfter: .milliseconds(pause))
        let journal = try Journal.open(in: a.journal.home, environment: a.journal.environment)
        var opening: [Int] = []
        for index in 0..<2 {
          journal.keys.lock()
          if (try? await journal.unlock(password: password(passwords[index]))) != nil {
            opening.append(index)
          }
        }
        #expect(opening.count == 1)
        guard opening == [1] else {
          #expect(!said.contains("changed"))
          continue
        }
        // It happened here; the syncs of whoever comes go on.
        rotations += 1
        #expect(try journal.state().epoch == 1 + rotations)
        passwords.swapAt(0, 1)
      }
      if try a.journal.syncStatus().isRotationInDoubt || rotations == 0 {
        #expect(
          try await KillTests().run(["rotate", a.folder.path] + passwords, killAfter: nil).last
            == "done")
        passwords.swapAt(0, 1)
      }
      let again = try TestDevice(in: a.folder)
      try await again.journal.unlock(password: password(passwords[0]))
      try await again.engine.logIn(password: password(passwords[0]))
      try await again.engine.sync()
      #expect(try again.entries() == entries)
      #expect(try again.journal.syncStatus().toReseal == 0)
      await #expect(throws: JournalError.wrongPassword) {
        try await again.engine.logIn(password: password(passwords[1]))
      }
      let b = try TestDevice()
      try await b.engine.join(
        AccountWish(server: server, name: "samuel"), password: password(passwords[0]))
      #expect(try b.entries() == entries)
      #expect(try b.journal.syncStatus().toReseal == 0)
    }
  }
}
