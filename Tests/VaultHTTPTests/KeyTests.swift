// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// Slots, keyring, credentials.
@Suite struct KeyTests {
  /// A change of slots and keyring, on the head as `owner` knows it.
  private func put(_ owner: Owner, withKit: Bool = false) -> WireKeyringPut {
    var put = WireKeyringPut()
    put.slots = owner.slots(withKit: withKit)
    put.generation = owner.generation
    put.epoch = owner.epoch
    put.commit = owner.commit([])
    return put
  }

  @Test func `the keyring is had with its tag`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let answer = try await alice.web.send(.get, Route.keyring)
      let keyring = try answer.message(WireKeyring.self)
      let tag = "\"\(Hex.encode(alice.keyringTag))\""
      #expect(answer.headers[.eTag] == tag && Array(keyring.keyringEtag) == alice.keyringTag)
      #expect(keyring.generation == 1 && keyring.epoch == 1)
      #expect(keyring.slots.recoveryPublicKey.count == 32)
      let same = try await alice.web.send(.get, Route.keyring, nil, [.ifNoneMatch: tag])
      #expect(same.status == 304 && same.body.isEmpty)
    }
  }

  @Test func `a change stands on the keyring that was read`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let change = put(alice, withKit: true)
      let wrong = try await alice.web.send(.put, Route.keyring, change, ifMatch(randomBytes(32)))
      #expect(wrong.problem == .preconditionFailed && wrong.details?.vault.seq == 1)
      #expect(try await alice.web.send(.put, Route.keyring, change).problem == .malformed)
      let right = try await alice.web.send(.put, Route.keyring, change, ifMatch(alice.keyringTag))
      #expect(right.status == 204 && right.body.isEmpty)
      let keyring = try await alice.web.send(.get, Route.keyring)
      #expect(keyring.headers[.eTag] == right.headers[.eTag])
      #expect(try keyring.message(WireKeyring.self).slots == change.slots)
      // A lost answer: the same request again is answered as the first.
      let again = try await alice.web.send(.put, Route.keyring, change, ifMatch(alice.keyringTag))
      #expect(again.status == 204)
    }
  }

  @Test func `A8: no change without a fresh login`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      server.pass(.seconds(301))
      let answer = try await alice.web.send(
        .put, Route.keyring, put(alice), ifMatch(alice.keyringTag))
      #expect(answer.problem == .notFresh)
      var credentials = WireCredentialsPut()
      credentials.registrationRecord = try await Owner(visitor, name: "other").record(by: visitor)
      credentials.profile = 2
      credentials.slots = alice.slots(withKit: false)
      let other = try await alice.web.send(
        .put, Route.credentials, credentials, ifMatch(alice.keyringTag))
      #expect(other.problem == .notFresh)
    }
  }

  @Test func `a change that contradicts itself is malformed`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let faults: [(inout WireKeyringPut) -> Void] = [
        { $0.clearCommit() }, { $0.epoch = 7 }, { $0.generation = 7 },
        { $0.commit.records = [record()] }, { $0.mode = .UNRECOGNIZED(9) },
        { $0.mode = .newBeginning }, { $0.slots.recoverySlot = blob() },
        { $0.slots.passwordSlot = Data() },
      ]
      for (index, fault) in faults.enumerated() {
        var change = put(alice)
        fault(&change)
        let answer = try await alice.web.send(
          .put, Route.keyring, change, ifMatch(alice.keyringTag))
        #expect(answer.problem == .malformed, "\(index)")
      }
    }
  }

  @Test func `A8: another password ends the other sessions and is the one that counts`()
    async throws
  {
    try await TestServer().run { visitor in
      let old = try await Owner.joined(visitor)
      var alice = old
      _ = try await alice.logIn()
      alice.password = "another one"
      var credentials = WireCredentialsPut()
      credentials.registrationRecord = try await alice.record(by: alice.web)
      credentials.profile = 2
      credentials.slots = alice.slots(withKit: false)
      credentials.generation = 1
      credentials.epoch = 1
      let answer = try await alice.web.send(
        .put, Route.credentials, credentials, ifMatch(alice.keyringTag))
      #expect(answer.status == 204)
      #expect(try await old.web.send(.get, Route.vault).problem == .unauthorized)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
      var outdated = old
      #expect(try await outdated.logIn().problem == .unauthorized)
      let session = try await alice.logIn()
      #expect(session.status == 201)
      let created = try session.message(WireSessionCreated.self)
      #expect(created.passwordSlot == credentials.slots.passwordSlot)
    }
  }

  @Test func `A8: a login begun under the old password makes no session`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let (_, create, _) = try await alice.beginLogin()
      alice.password = "another one"
      var credentials = WireCredentialsPut()
      credentials.registrationRecord = try await alice.record(by: alice.web)
      credentials.profile = 2
      credentials.slots = alice.slots(withKit: false)
      let answer = try await alice.web.send(
        .put, Route.credentials, credentials, ifMatch(alice.keyringTag))
      #expect(answer.status == 204)
      #expect(try await visitor.send(.post, Route.sessions, create).problem == .unauthorized)
    }
  }

  @Test func `a rotation raises the epoch with its first head`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      alice.epoch = 2
      var credentials = WireCredentialsPut()
      credentials.registrationRecord = try await alice.record(by: alice.web)
      credentials.profile = 3
      credentials.slots = alice.slots(withKit: true)
      credentials.generation = 1
      credentials.epoch = 2
      credentials.commit = alice.commit([])
      let answer = try await alice.web.send(
        .put, Route.credentials, credentials, ifMatch(alice.keyringTag))
      #expect(answer.status == 204)
      let state = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(state.epoch == 2 && state.seq == 2 && state.head == credentials.commit.head)
    }
  }

  @Test func `a new beginning stands on keyring and head`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      var change = put(alice, withKit: true)
      change.mode = .newBeginning
      change.generation = 5
      change.commit = alice.commit([], base: 0)
      change.commit.generation = 5
      change.headHash = Data(randomBytes(32))
      let wrong = try await alice.web.send(.put, Route.keyring, change, ifMatch(alice.keyringTag))
      #expect(wrong.problem == .preconditionFailed)
      change.headHash = Data(alice.headHash)
      let right = try await alice.web.send(.put, Route.keyring, change, ifMatch(alice.keyringTag))
      #expect(right.status == 204)
      let state = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(state.generation == 5 && state.seq == 1 && state.records == 1)
    }
  }
}
