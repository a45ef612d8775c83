// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// Two real `vaultd` on one PostgreSQL with the same secrets are one service.
@Suite(.serialized) struct TwoProcessTests {
  /// Runs `body` with a visitor of each of two processes on one fresh schema.
  private func withTwo(_ body: @escaping @Sendable (Visitor, Visitor) async throws -> Void)
    async throws
  {
    try await Self.withSchema { url in
      try await Self.withTwo(url, body)
    }
  }

  private static func withTwo(
    _ url: String, _ body: @escaping @Sendable (Visitor, Visitor) async throws -> Void
  ) async throws {
    try await withFolder { folder in
      let arguments = ["--database", url]
      let first = try ServerProcess(data: folder, arguments)
      let second = try ServerProcess(data: folder, arguments)
      let name = try await first.connected(serverName: "") { visitor in
        try await visitor.send(.get, Route.server).message(WireServerInfo.self).serverName
      }
      try await first.connected(serverName: name) { one in
        try await second.connected(serverName: name) { other in try await body(one, other) }
      }
      #expect(first.stop() == 0 && second.stop() == 0)
    }
  }

  /// Lends an empty schema in the server that `VAULT_TEST_POSTGRES` names.
  private static func withSchema(_ body: (String) async throws -> Void) async throws {
    let server = try #require(
      ProcessInfo.processInfo.environment["VAULT_TEST_POSTGRES"], "see scripts/postgres.sh")
    let connection = try await Connection(Configuration(url: server))
    let name = "http_" + Hex.encode(randomBytes(8))
    try await connection.run(Statement("CREATE SCHEMA \(name)"))
    let separator = server.contains("?") ? "&" : "?"
    let result: Result<Void, any Error>
    do {
      try await body("\(server)\(separator)options=-csearch_path%3D\(name)")
      result = .success(())
    } catch { result = .failure(error) }
    try await connection.run(Statement("DROP SCHEMA \(name) CASCADE"))
    try result.get()
  }

  @Test func `a login begun at one ends at the other`() async throws {
    try await withTwo { one, other in
      var alice = try await Owner.joined(one)
      let (_, create, key) = try await alice.beginLogin()
      let session = try await other.send(.post, Route.sessions, create)
      #expect(session.status == 201)
      try alice.take(session, key)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `a commit at one wakes who waits at the other`() async throws {
    try await withTwo { one, other in
      var alice = try await Owner.joined(one)
      var device = alice
      device.web = other
      _ = try await device.logIn()
      let page = try await device.web.send(.get, Route.changes).message(WireChanges.self)
      let path = Route.changes + "?wait=55&cursor=" + Hex.encode(page.cursor)
      let waiter = device.web
      async let waiting = waiter.send(.get, path)
      let one = record()
      #expect(try await alice.push(alice.commit([one])).status == 200)
      let changes = try await waiting.message(WireChanges.self)
      #expect(changes.records.map(\.blob) == [one.blob])
    }
  }

  @Test func `the main job, deletion included`() async throws {
    try await withTwo { one, other in
      var alice = try await Owner.joined(one)
      #expect(try await alice.push(alice.commit([record(), record()])).status == 200)
      var device = alice
      device.web = other
      _ = try await device.logIn()
      let deleted = try await device.web.send(
        .delete, Route.vault, device.deletion(), ifMatch(device.headHash))
      #expect(try deleted.message(WireReceipt.self).records == 2)
      #expect(try await alice.web.send(.get, Route.vault).problem == .gone)
    }
  }
}
