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
  private func run(_ arguments: [String], killAfter pause: Duration?) async throws -> [String] {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(with: Result { try Self.wait(for: arguments, killAfter: pause) })
      }
    }
  }

  private static func wait(for arguments: [String], killAfter pause: Duration?) throws -> [String] {
    let process = Process()
    process.executableURL = helper
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    if let pause {
      let seconds = Double(pause / .milliseconds(1)) / 1_000
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds) {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      }
    }
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
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
