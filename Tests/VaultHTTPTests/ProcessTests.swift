// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import HTTPTypes
import NIOSSL
import Sodium
import TestSupport
import Testing
import VaultProtocol

@testable import VaultServer

/// The program itself: started, stopped, killed.
@Suite(.serialized) struct ProcessTests {
  private func serverName(_ server: ServerProcess) async throws -> String {
    try await server.connected(serverName: "") { visitor in
      try await visitor.send(.get, Route.server).message(WireServerInfo.self).serverName
    }
  }

  @Test func `what was acknowledged survives kill -9`() async throws {
    var random = SeededGenerator(for: "kill -9 of vaultd")
    try await withFolder { folder in
      var owner: Owner?
      var acknowledged: [WireRecord] = []
      for round in 0..<4 {
        let server = try ServerProcess(data: folder)
        let name = try await serverName(server)
        let pause = Duration.milliseconds(Int(random.next() % 120))
        let known = owner
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let work = Task {
          defer { begin.finish() }
          return try await server.connected(serverName: name) { visitor in
            try await Self.commit(visitor, known, round: round) { begin.finish() }
          }
        }
        // From its first commit on, the moment of the kill is chance on purpose.
        for await _ in begun {}
        try await Task.sleep(for: pause)
        server.kill()
        let done = try await work.value
        owner = done.owner ?? owner
        acknowledged += done.records
        let check = try ServerProcess.run("check", "--data", folder.path)
        #expect(check.status == 0, "\(check.output)\(check.error)")
      }
      try await Self.compare(folder, owner, acknowledged, serverName: serverName)
    }
  }

  /// Commits until the connection breaks; gives back what was acknowledged.
  private static func commit(
    _ visitor: Visitor, _ known: Owner?, round: Int, _ begun: () -> Void
  ) async throws -> (owner: Owner?, records: [WireRecord]) {
    var acknowledged: [WireRecord] = []
    var owner = known
    do {
      if owner == nil {
        let fresh = Owner(visitor, name: "alice\(round)")
        if try await fresh.register().status == 201 { owner = fresh }
      }
      guard var alice = owner else { return (nil, []) }
      alice.web = visitor
      _ = try await alice.logIn()
      // The last commit before the kill may have been taken without an answer.
      let state = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      alice.seq = state.seq
      owner = alice
      while true {
        let batch = (0..<3).map { _ in record() }
        guard try await alice.push(alice.commit(batch)).status == 200 else { break }
        acknowledged += batch
        owner = alice
        begun()
      }
    } catch {
      // The server was killed: that is what this is about.
    }
    return (owner, acknowledged)
  }

  /// Every acknowledged record is there, with its bytes.
  private static func compare(
    _ folder: URL, _ owner: Owner?, _ records: [WireRecord],
    serverName: (ServerProcess) async throws -> String
  ) async throws {
    let server = try ServerProcess(data: folder)
    let owner = try #require(owner)
    let name = try await serverName(server)
    try await server.connected(serverName: name) { visitor in
      var alice = owner
      alice.web = visitor
      #expect(try await alice.logIn().status == 201)
      for record in records {
        let path = Route.records + "/" + Hex.encode(record.recordID)
        let answer = try await alice.web.send(.get, path)
        #expect(answer.status == 200)
        if answer.status == 200 {
          #expect(try answer.message(WireRecord.self).blob == record.blob)
        }
      }
    }
    print("kill -9 of vaultd: \(records.count) acknowledged records, all there")
    #expect(!records.isEmpty)
    #expect(server.stop() == 0)
  }

  @Test func `SIGTERM answers who waits, and ends with 0`() async throws {
    try await withFolder { folder in
      let server = try ServerProcess(data: folder)
      let name = try await serverName(server)
      let status = try await server.connected(serverName: name) { visitor in
        let alice = try await Owner.joined(visitor)
        let page = try await alice.web.send(.get, Route.changes).message(WireChanges.self)
        let path = Route.changes + "?wait=55&cursor=" + Hex.encode(page.cursor)
        async let waiting = alice.web.send(.get, path)
        // A second connection knows when the first one's request is being waited on.
        try await Self.untilSomebodyWaits()
        server.process.terminate()
        return try await waiting.status
      }
      server.process.waitUntilExit()
      #expect(status == 204 && server.process.terminationStatus == 0)
    }
  }

  /// Long enough for a request on loopback to have arrived; that it has not only makes the test
  /// weaker: a connection closed before its request is an error, which fails it.
  private static func untilSomebodyWaits() async throws {
    try await Task.sleep(for: .milliseconds(300))
  }

  @Test func `it does not listen beyond this machine without TLS`() throws {
    let refused = try ServerProcess.run("serve", "--listen", "0.0.0.0:0")
    #expect(refused.status == 64 && refused.error.contains("TLS"))
  }

  @Test func `secrets that others can read are refused in words`() async throws {
    try await withFolder { folder in
      let path = folder.appending(path: "server.secrets").path
      let secrets = try ServerSecrets.load(path: path)
      let invited = try ServerProcess.run("invite", "--data", folder.path, "alice")
      #expect(invited.status == 0)
      #expect(invited.output == (secrets.invitation(forAccount: "alice") ?? "") + "\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      let refused = try ServerProcess.run(
        "serve", "--data", folder.path, "--listen", "127.0.0.1:0")
      #expect(refused.status == 1 && refused.error.contains("0600"))
      #expect(refused.output.isEmpty)
    }
  }

  @Test(arguments: [["check"], ["users"], ["invite", "alice"]])
  func `a mistyped path is told, and nothing is made there`(command: [String]) async throws {
    try await withFolder { folder in
      let path = folder.appending(path: "mistyped")
      let refused = try ServerProcess.run(command + ["--data", path.path])
      #expect(refused.status == 1 && refused.error.contains("there is no "), "\(refused)")
      #expect(!FileManager.default.fileExists(atPath: path.path))
      let file = path.appendingPathExtension("sqlite").path
      let options = ["--database", "sqlite:\(file)", "--secrets", file]
      #expect(try ServerProcess.run(command + options).status == 1)
      #expect(!FileManager.default.fileExists(atPath: file))
    }
  }

  @Test func `a PgBouncer needs the server's own address beside it`() throws {
    let refused = try ServerProcess.run(["serve", "--pgbouncer"])
    #expect(refused.status == 64 && refused.error.contains("--database-listen"))
  }

  @Test func `check finds a changed byte and says so with its exit status`() async throws {
    try await withFolder { folder in
      let server = try ServerProcess(data: folder)
      let name = try await serverName(server)
      let one = record()
      try await server.connected(serverName: name) { visitor in
        var alice = try await Owner.joined(visitor)
        let answer = try await alice.push(alice.commit([one]))
        #expect(answer.status == 200)
      }
      #expect(server.stop() == 0)
      #expect(try ServerProcess.run("check", "--data", folder.path).status == 0)
      let file = folder.appending(path: "vault.sqlite")
      try await DatabaseQueue(path: file.path).writeWithoutTransaction { db in
        _ = try db.checkpoint(.truncate)
      }
      var bytes = try Data(contentsOf: file)
      let place = try #require(bytes.range(of: one.blob.prefix(200)))
      bytes[place.lowerBound + 5] ^= 1
      try bytes.write(to: file)
      let check = try ServerProcess.run("check", "--data", folder.path)
      #expect(check.status == 2 && check.output.contains("faults    1"), "\(check.output)")
      #expect(!check.output.contains(Hex.encode(one.blob.prefix(8))))
    }
  }

  @Test func `TLS is spoken, and SIGHUP brings a new certificate`() async throws {
    try await withFolder { folder in
      let (certificate, key) = (folder.appending(path: "c.pem"), folder.appending(path: "k.pem"))
      try Self.makeCertificate(certificate, key)
      let server = try ServerProcess(
        data: folder, ["--tls-certificate", certificate.path, "--tls-key", key.path])
      #expect(server.url.scheme == "https")
      let first = try Self.trusting(certificate)
      let status = try await server.connected(tls: first, serverName: "") { visitor in
        try await visitor.send(.get, Route.server).status
      }
      #expect(status == 200)
      try Self.makeCertificate(certificate, key)
      let second = try Self.trusting(certificate)
      Foundation.kill(server.process.processIdentifier, SIGHUP)
      // The signal has no answer: ask until the new certificate is shown.
      var shown = false
      for _ in 0..<200 where !shown {
        shown =
          (try? await server.connected(tls: second, serverName: "") { visitor in
            try await visitor.send(.get, Route.server).status == 200
          }) ?? false
      }
      #expect(shown)
      #expect(server.stop() == 0)
    }
  }

  private static func makeCertificate(_ certificate: URL, _ key: URL) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
      "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
      key.path, "-out", certificate.path,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  private static func trusting(_ certificate: URL) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(certificate.path))
    return configuration
  }
}
