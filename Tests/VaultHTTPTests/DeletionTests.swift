// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// "Delete cloud data".
@Suite struct DeletionTests {
  @Test func `C8: the receipt is signed by the announced key, over what went`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      var alice = try await Owner.joined(visitor)
      let id = randomBytes(16)
      _ = try await alice.push(alice.commit([record(id), record(id, revision: 2), record()]))
      let delete = alice.deletion()
      let answer = try await alice.web.send(.delete, Route.vault, delete, ifMatch(alice.headHash))
      let receipt = try answer.message(WireReceipt.self)
      var counts = DeletionReceipt.Counts()
      counts.records = 2
      counts.revisions = 1
      counts.commits = receipt.commits
      counts.keyrings = 1
      counts.bytes = receipt.bytes
      #expect(receipt.commits == 2 && receipt.bytes >= 3 * 612)
      let certificate = delete.certificates[0].blob
      let hash = SHA512.hash(
        Array("KF1-certificate".utf8), [0, 1], bigEndian(UInt32(certificate.count)),
        Array(certificate), count: 32)
      let expected = try DeletionReceipt(
        server: ServerName(server.secrets.name), uid: alice.uid, generation: 1, lastSequence: 2,
        includesAccount: false, counts: counts,
        timeMilliseconds: UInt64(server.now.milliseconds), certificateHash: hash)
      let key = try await visitor.send(.get, Route.server).message(WireServerInfo.self)
        .receiptPublicKey
      #expect(expected.isSigned(by: Array(receipt.signature), receiptKey: Array(key)))
      #expect(Array(receipt.certificateHash) == hash && !receipt.account)
    }
  }

  @Test func `again, it gives the same receipt`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let first = try await alice.web.send(
        .delete, Route.vault, alice.deletion(), ifMatch(alice.headHash))
      let again = try await alice.web.send(
        .delete, Route.vault, alice.deletion(), ifMatch(alice.headHash))
      #expect(first.status == 200 && again.status == 200 && first.body == again.body)
    }
  }

  @Test func `a commit in between is not deleted unseen`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let unseen = alice.headHash
      _ = try await alice.push(alice.commit([record()]))
      let answer = try await alice.web.send(
        .delete, Route.vault, alice.deletion(), ifMatch(unseen))
      #expect(answer.problem == .preconditionFailed && answer.details?.vault.seq == 2)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `A8: no deletion without a fresh login, nor without a certificate`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      var bare = alice.deletion()
      bare.certificates = []
      #expect(
        try await alice.web.send(.delete, Route.vault, bare, ifMatch(alice.headHash)).problem
          == .malformed)
      #expect(
        try await alice.web.send(.delete, Route.vault, alice.deletion()).problem == .malformed)
      server.pass(.seconds(301))
      let stale = try await alice.web.send(
        .delete, Route.vault, alice.deletion(), ifMatch(alice.headHash))
      #expect(stale.problem == .notFresh)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `another device is shown the certificate, whatever it asks for, for good`()
    async throws
  {
    try await TestServer().run { visitor in
      let other = try await Owner.joined(visitor)
      var alice = other
      _ = try await alice.logIn()
      let delete = alice.deletion()
      _ = try await alice.web.send(.delete, Route.vault, delete, ifMatch(alice.headHash))
      for path in [
        Route.vault, Route.changes, Route.keyring, Route.sessions,
        Route.records + "/" + Hex.encode(randomBytes(16)),
      ] {
        let answer = try await other.web.send(.get, path)
        #expect(answer.problem == .gone, "\(path)")
        #expect(answer.details?.deletion.certificates == delete.certificates)
      }
      #expect(
        try await other.web.send(.post, Route.commits, other.commit([record()])).problem == .gone)

      let (begun, put) = try await begin(alice, delete)
      #expect(begun.status == 204)
      #expect(try await other.web.send(.get, Route.vault).problem == .gone)
      let state = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(state.generation == 2 && state.seq == 1 && state.records == 0)
      #expect(state.head == put.commit.head)
      // A login makes a usable one.
      var joined = other
      _ = try await joined.logIn()
      #expect(try await joined.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `a login while there is no copy is told of the deletion`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let delete = alice.deletion()
      _ = try await alice.web.send(.delete, Route.vault, delete, ifMatch(alice.headHash))
      let created = try await alice.logIn().message(WireSessionCreated.self)
      #expect(created.passwordSlot.isEmpty && created.keyring.isEmpty)
      #expect(created.deletion.certificates == delete.certificates)
      #expect(created.deletion.receipt.lastSeq == 1)
    }
  }

  @Test func `with the account, name and password go too`() async throws {
    try await TestServer().run { visitor in
      let other = try await Owner.joined(visitor)
      var alice = other
      _ = try await alice.logIn()
      let answer = try await alice.web.send(
        .delete, Route.vault, alice.deletion(account: true), ifMatch(alice.headHash))
      #expect(try answer.message(WireReceipt.self).account)
      #expect(try await alice.logIn().problem == .unauthorized)
      #expect(try await other.web.send(.get, Route.vault).problem == .gone)
      // The name is free again.
      #expect(try await Owner(visitor, name: "alice").register().status == 201)
    }
  }

  /// Begins a new copy after `delete`.
  private func begin(
    _ owner: Owner, _ delete: WireVaultDelete
  ) async throws -> (Answer, WireKeyringPut) {
    var put = WireKeyringPut()
    put.mode = .beginAfterDeletion
    put.slots = owner.slots(withKit: true)
    put.generation = 2
    put.epoch = 2
    put.commit = owner.commit([], base: 0)
    put.commit.generation = 2
    put.commit.epoch = 2
    let blob = delete.certificates[0].blob
    let hash = SHA512.hash(
      Array("KF1-certificate".utf8), [0, 1], bigEndian(UInt32(blob.count)), Array(blob), count: 32)
    return (try await owner.web.send(.put, Route.keyring, put, ifMatch(hash)), put)
  }
}
