// SPDX-License-Identifier: Apache-2.0
import Foundation
import Posix
import Sodium
import Testing

/// The real agent process, spoken to over its socket.
@Suite struct AgentTests {
  private static let secret = Array("the key of this test, 36 bytes long.".utf8)

  /// Starts an agent in a folder of its own.
  private static func withAgent(
    idle: Int = 60, _ body: (String, pid_t) async throws -> Void
  ) async throws {
    let folder = URL(filePath: "/tmp/agent-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = try await Aside.run { try start(in: folder.path, idle: idle) }
    defer { try? end(folder.path) }
    try await body(folder.path, process)
  }

  /// Returns when the agent is ready.
  private static func start(in folder: String, idle: Int) throws -> pid_t {
    let agent = try BackgroundProcess.start(
      Programs.folder.appending(path: "journal").path,
      arguments: ["journal", "agent", "--folder", folder, "--name", "s", "--idle", "\(idle)"])
    try agent.socket.send([0, 0, 0, UInt8(secret.count)].span)
    try agent.socket.send(secret.span)
    guard try bytes(agent.socket.receive(count: 4)) == [0, 0, 0, 1] else {
      throw SystemError.unexpected
    }
    return agent.id
  }

  /// Asks for the end.
  private static func end(_ folder: String) throws {
    try LocalSocket.connect(to: "s", in: folder).send([2].span)
  }

  private static func bytes(_ secret: borrowing SecretBytes) -> [UInt8] {
    secret.withBytes { span in span.indices.map { span[$0] } }
  }

  private static func keys(_ folder: String) throws -> [UInt8] {
    let agent = try LocalSocket.connect(to: "s", in: folder)
    try agent.send([1].span)
    let count = try bytes(agent.receive(count: 4))
    return try bytes(agent.receive(count: Int(count[3])))
  }

  /// Asks for the end, and waits for it.
  private static func lock(_ folder: String) throws {
    let agent = try LocalSocket.connect(to: "s", in: folder)
    try agent.send([2].span)
    #expect(throws: SystemError(call: "recv", code: ECONNRESET)) {
      _ = try agent.receive(count: 1)
    }
  }

  @Test func `the agent gives the key to who asks, again and again`() async throws {
    try await Self.withAgent { folder, _ in
      for _ in 1...2 {
        let got = try Self.keys(folder)
        #expect(got == Self.secret)
      }
    }
  }

  @Test func `after lock nobody listens, and the socket is gone`() async throws {
    try await Self.withAgent { folder, _ in
      try Self.lock(folder)
      #expect(throws: SystemError.self) { try Self.keys(folder) }
      #expect(!FileManager.default.fileExists(atPath: folder + "/s"))
    }
  }

  @Test func `an agent that is killed has locked the journal`() async throws {
    try await Self.withAgent { folder, process in
      kill(process, SIGKILL)
      _ = try await Aside.run { waitpid(process, nil, 0) }
      #expect(throws: SystemError(call: "connect", code: ECONNREFUSED)) { try Self.keys(folder) }
    }
  }

  @Test func `an agent that crashes ends, by the crash`() async throws {
    try await Self.withAgent { _, process in
      kill(process, SIGSEGV)
      let status = try await Aside.run {
        var status: Int32 = -1
        waitpid(process, &status, 0)
        return status
      }
      #expect(status == SIGSEGV)
    }
  }

  @Test func `an unused agent ends by itself`() async throws {
    try await Self.withAgent(idle: 1) { folder, process in
      let status = try await Aside.run {
        var status: Int32 = -1
        waitpid(process, &status, 0)
        return status
      }
      #expect(status == 0)
      #expect(throws: SystemError(call: "connect", code: ENOENT)) { try Self.keys(folder) }
    }
  }

  @Test func `the agent's command line holds no secret`() async throws {
    try await Self.withAgent { folder, process in
      let line = try Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))
      let words = String(decoding: line, as: UTF8.self).split(separator: "\0").map(String.init)
      #expect(words == ["journal", "agent", "--folder", folder, "--name", "s", "--idle", "60"])
    }
  }

  @Test func `the agent leaves no core dump`() async throws {
    try await Self.withAgent { folder, process in
      let limits = try String(contentsOfFile: "/proc/\(process)/limits", encoding: .utf8)
      let core = try #require(limits.split(separator: "\n").first { $0.contains("core file size") })
      #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2)
    }
  }

  @Test func `a second agent for the same address does not take the first one's place`()
    async throws
  {
    try await Self.withAgent { folder, _ in
      await #expect(throws: SystemError.self) {
        try await Aside.run { try Self.start(in: folder, idle: 60) }
      }
      let got = try Self.keys(folder)
      #expect(got == Self.secret)
    }
  }

  @Test func `C7: another user's processes cannot read the agent's memory`() async throws {
    try await Self.withAgent { folder, process in
      // Not dumpable: the kernel gives its memory's file to root alone.
      let path = "/proc/\(process)/mem"
      let owner = try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int
      #expect(owner == 0)
    }
  }
}
