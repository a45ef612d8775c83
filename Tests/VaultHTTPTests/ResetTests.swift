// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Testing
import VaultProtocol

@testable import VaultServer

/// `vaultd users reset`: everything is lost, and the operator frees the name.
@Suite(.serialized) struct ResetTests {
  @Test func `the name is free, the old devices are told, and the receipt is signed`() async throws
  {
    let server = try TestServer()
    try await server.run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      let user = try await AccountReset.run(
        "alice", store: server.store, secrets: server.secrets, now: server.now)
      #expect(user.map { $0.bytes } == alice.uid)
      let gone = try await alice.web.send(.get, Route.vault)
      let deletion = try #require(gone.details?.deletion)
      #expect(gone.problem == .gone && deletion.certificates.isEmpty)
      var counts = DeletionReceipt.Counts()
      counts.records = 1
      counts.commits = 2
      counts.keyrings = 1
      counts.sessions = 1
      counts.bytes = deletion.receipt.bytes
      let receipt = try DeletionReceipt(
        server: ServerName(server.secrets.name), uid: alice.uid, generation: 1, lastSequence: 2,
        includesAccount: true, counts: counts,
        timeMilliseconds: UInt64(server.now.milliseconds),
        certificateHash: DeletionReceipt.certificateHash(of: []))
      #expect(
        receipt.isSigned(
          by: Array(deletion.receipt.signature), receiptKey: server.secrets.receiptKey.publicKey))
      #expect(try await alice.logIn().problem == .unauthorized)
      await #expect(throws: Unexpected.self) { try await Recovery.opened(alice) }
      let fresh = try await Owner.joined(visitor)
      let state = try await fresh.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(fresh.uid != alice.uid && state.records == 0)
      #expect(try await alice.web.send(.get, Route.vault).problem == .gone)
    }
  }

  @Test func `the program resets, while the server runs, and only when told so twice`()
    async throws
  {
    try await withFolder { folder in
      let server = try ServerProcess(data: folder)
      let name = try await server.connected(serverName: "") { visitor in
        try await visitor.send(.get, Route.server).message(WireServerInfo.self).serverName
      }
      let alice = try await server.connected(serverName: name) { visitor in
        try await Owner.joined(visitor)
      }
      let data = ["--data", folder.path]
      func run(_ words: String...) throws -> (status: Int32, output: String, error: String) {
        try ServerProcess.run(words + data)
      }
      #expect(try run("users", "reset", "alice").status == 64)
      #expect(try run("users", "reset", "Alice", "--yes").status == 64)
      #expect(try run("users", "reset", "nobody", "--yes").status == 1)
      let done = try run("users", "reset", "alice", "--yes")
      #expect(done.status == 0)
      #expect(done.output.hasPrefix("reset user \(Hex.encode(alice.uid))\ninvitation "))
      #expect(!done.output.contains("alice"))
      try await server.connected(serverName: name) { visitor async throws in
        var device = alice
        device.web = visitor
        device.web.authorization = alice.web.authorization
        #expect(try await device.web.send(.get, Route.vault).problem == .gone)
        #expect(try await Owner.joined(visitor).web.send(.get, Route.vault).status == 200)
      }
      let users = try run("users")
      #expect(users.status == 0 && users.output.split(separator: "\n").count == 2)
      #expect(try run("check").status == 0)
      #expect(server.stop() == 0)
    }
  }
}
