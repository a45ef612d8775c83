// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol

@testable import VaultServer

/// Password and kit are lost, and a session lives.
@Suite struct StartOverTests {
  /// The end of the 72 hours.
  private static let delay: Duration = .seconds(72 * 3_600)

  /// New credentials for `owner`, as a rotation.
  private func credentials(_ owner: Owner, _ record: Data) -> WireCredentialsPut {
    let next = owner.renewed
    var put = WireCredentialsPut()
    put.registrationRecord = record
    put.profile = 2
    put.slots = next.slots(withKit: true)
    put.generation = 1
    put.epoch = next.epoch
    put.commit = next.commit([])
    return put
  }

  @Test(arguments: [false, true])
  func `after 72 hours the session that asked sets a new password`(isJSON: Bool) async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(isJSON ? visitor.json : visitor)
      let answer = try await alice.web.send(.post, Route.startOver)
      let wish = try answer.message(WireStartOver.self)
      #expect(wish.sessionID == alice.sessionID)
      #expect(wish.requestedMs == server.now.milliseconds)
      #expect(wish.dueMs == (server.now + Self.delay).milliseconds)
      server.pass(Self.delay - .milliseconds(1))
      var next = alice
      next.password = alice.renewed.password
      let early = await #expect(throws: Unexpected.self) { try await next.record(by: alice.web) }
      #expect(early?.answer.problem == .notFresh)
      server.pass(.milliseconds(1))
      let put = credentials(alice, try await next.record(by: alice.web))
      let stored = try await alice.web.send(
        .put, Route.credentials, put, ifMatch(alice.keyringTag))
      #expect(stored.status == 204)
      let again = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(!again.hasStartOver && again.epoch == 2)
      #expect(try await next.logIn().status == 201)
    }
  }

  @Test func `every device sees it, whatever head it knows, and can refuse it`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      var device = alice
      _ = try await device.logIn()
      let known = "\"\(Hex.encode(alice.headHash))\""
      #expect(
        try await device.web.send(.get, Route.vault, nil, [.ifNoneMatch: known]).status == 304)
      let wish = try await alice.web.send(.post, Route.startOver).message(WireStartOver.self)
      let state = try await device.web.send(.get, Route.vault, nil, [.ifNoneMatch: known])
        .message(WireVaultState.self)
      #expect(state.startOver == wish)
      let page = try await device.web.send(.get, Route.changes).message(WireChanges.self)
      #expect(page.vault.startOver == wish)
      #expect(try await device.web.send(.delete, Route.startOver).status == 204)
      #expect(
        try await device.web.send(.get, Route.vault, nil, [.ifNoneMatch: known]).status == 304)
      #expect(try await device.web.send(.delete, Route.startOver).status == 204)
      server.pass(Self.delay)
      await #expect(throws: Unexpected.self) { try await alice.record(by: alice.web) }
    }
  }

  @Test func `a login cancels it, a failed one does not`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      _ = try await alice.web.send(.post, Route.startOver)
      var stranger = alice
      stranger.password = "wrong"
      #expect(try await stranger.logIn().problem == .unauthorized)
      let pending = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(pending.hasStartOver)
      var owner = alice
      #expect(try await owner.logIn().status == 201)
      let state = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(!state.hasStartOver)
      server.pass(Self.delay)
      let put = credentials(alice, try await Owner(visitor, name: "other").record(by: visitor))
      let answer = try await alice.web.send(
        .put, Route.credentials, put, ifMatch(alice.keyringTag))
      #expect(answer.problem == .notFresh)
    }
  }
}
