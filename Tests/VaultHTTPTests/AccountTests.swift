// SPDX-License-Identifier: Apache-2.0
import Foundation
import HummingbirdTesting
import KeyExchange
import Sodium
import TestSupport
import Testing
import VaultProtocol

@testable import VaultServer

/// Making an account, and its sessions.
@Suite struct AccountTests {
  @Test func `the same request again gets the first answer`() async throws {
    try await TestServer().run { visitor in
      var alice = Owner(visitor, name: "alice")
      let create = try await alice.accountCreate()
      let first = try await visitor.send(.post, Route.accounts, create)
      _ = try await alice.logIn()
      #expect(try await alice.push(alice.commit([record()])).status == 200)
      let again = try await visitor.send(.post, Route.accounts, create)
      #expect(first.status == 201 && again.status == 201 && first.body == again.body)
      let json = try await visitor.json.send(.post, Route.accounts, create)
      #expect(try json.message(WireAccountCreated.self) == first.message(WireAccountCreated.self))
    }
  }

  @Test func `a name is taken once`() async throws {
    try await TestServer().run { visitor in
      let alice = Owner(visitor, name: "alice")
      let other = Owner(visitor, name: "alice")
      let create = try await other.accountCreate()
      _ = try await alice.register()
      #expect(try await visitor.send(.post, Route.accounts, create).problem == .nameTaken)
      // Whose it is not learns so before the password is stretched.
      let early = await #expect(throws: Unexpected.self) { _ = try await other.record(by: visitor) }
      #expect(early?.answer.problem == .nameTaken)
    }
  }

  @Test func `a closed server takes nobody`() async throws {
    try await TestServer { $0.registration = .closed }.run { visitor in
      let alice = Owner(visitor, name: "alice")
      let refused = await #expect(throws: Unexpected.self) {
        _ = try await alice.record(by: visitor)
      }
      #expect(refused?.answer.problem == .registrationClosed)
      var create = WireAccountCreate()
      create.name = "alice"
      let late = try await visitor.send(.post, Route.accounts, create)
      #expect(late.problem == .registrationClosed)
    }
  }

  @Test func `an invitation is good for its name alone`() async throws {
    let server = try TestServer { $0.registration = .invitation }
    try await server.run { visitor in
      var create = try await Owner(visitor, name: "alice").accountCreate()
      for invitation in ["", "0", try #require(server.secrets.invitation(forAccount: "bob"))] {
        create.invitation = invitation
        #expect(
          try await visitor.send(.post, Route.accounts, create).problem == .registrationClosed)
      }
      create.invitation = try #require(server.secrets.invitation(forAccount: "alice"))
      #expect(try await visitor.send(.post, Route.accounts, create).status == 201)
    }
  }

  @Test func `without an invitation nobody learns which names there are`() async throws {
    let server = try TestServer { $0.registration = .invitation }
    try await server.run { visitor in
      let alice = Owner(visitor, name: "alice")
      var create = try await alice.accountCreate()
      create.invitation = try #require(server.secrets.invitation(forAccount: "alice"))
      #expect(try await visitor.send(.post, Route.accounts, create).status == 201)
      var answers: [[Answer]] = []
      for name in ["alice", "nobody"] {
        var start = WireRegistrationStart()
        start.name = name
        start.request = Data(try OPAQUE.Registering(password: SecretBytes("x")).request.bytes)
        var other = try await Owner(visitor, name: name).accountCreate()
        other.invitation = ""
        answers.append([
          try await visitor.send(.post, Route.registration, start),
          try await visitor.send(.post, Route.accounts, other),
        ])
      }
      #expect(answers[0].map(\.status) == [200, 403])
      #expect(answers[0].map(\.status) == answers[1].map(\.status))
      #expect(answers[0].map(\.body.count) == answers[1].map(\.body.count))
      #expect(answers[0].map(\.headers) == answers[1].map(\.headers))
      // Who has one learns it, of that name alone.
      create.uid = Data(randomBytes(16))
      #expect(try await visitor.send(.post, Route.accounts, create).problem == .nameTaken)
    }
  }

  @Test func `a repeat gets its answer when registration has closed meanwhile`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let create = try await Owner(visitor, name: "alice").accountCreate()
      let first = try await visitor.send(.post, Route.accounts, create)
      #expect(first.status == 201)
      for mode in [ServerConfiguration.Registration.closed, .invitation] {
        var configuration = ServerConfiguration()
        configuration.registration = mode
        let later = buildApplication(
          configuration: configuration, store: server.store, secrets: server.secrets,
          clock: { [now = server.now] in now },
          log: ServerLog(level: .critical, clock: Timestamp.system))
        try await later.test(.router) { client in
          let visitor = Visitor(client: client, serverName: server.secrets.name)
          let again = try await visitor.send(.post, Route.accounts, create)
          #expect(again.status == 201 && again.body == first.body)
          var other = create
          other.profile = 3
          let refused = try await visitor.send(.post, Route.accounts, other)
          #expect(refused.problem == .registrationClosed)
        }
      }
    }
  }

  @Test func `what does not fit together makes no account`() async throws {
    try await TestServer { $0.addressRate = .init(burst: 1000, interval: .seconds(1)) }.run {
      visitor in
      let good = try await Owner(visitor, name: "alice").accountCreate()
      let faults: [(String, (inout WireAccountCreate) -> Void)] = [
        ("uid", { $0.uid = Data(randomBytes(15)) }),
        ("record", { $0.registrationRecord = Data(randomBytes(191)) }),
        ("record's point", { $0.registrationRecord = Data(repeating: 0, count: 192) }),
        ("profile", { $0.profile = 4 }), ("profile 258", { $0.profile = 258 }),
        ("password slot", { $0.slots.passwordSlot = blob(611) }),
        (
          "no kit",
          {
            $0.slots.recoverySlot = Data(); $0.slots.recoveryPublicKey = Data()
          }
        ),
        ("kit without key", { $0.slots.recoveryPublicKey = Data() }),
        ("key's size", { $0.slots.recoveryPublicKey = Data(randomBytes(31)) }),
        ("keyring", { $0.slots.keyring = blob(Limits.keyringBytes + 1) }),
        (
          "generation",
          {
            $0.generation = 0; $0.commit.generation = 0
          }
        ),
        ("two generations", { $0.commit.generation = 2 }), ("two epochs", { $0.commit.epoch = 2 }),
        ("base", { $0.commit.baseSeq = 1 }), ("records", { $0.commit.records = [record()] }),
        ("commit id", { $0.commit.commitID = Data() }), ("head", { $0.commit.head = blob(5_000) }),
      ]
      for (name, fault) in faults {
        var bad = good
        fault(&bad)
        #expect(try await visitor.send(.post, Route.accounts, bad).problem == .malformed, "\(name)")
      }
      #expect(try await visitor.send(.post, Route.accounts, good).status == 201)
    }
  }

  @Test func `sessions are listed, named and ended in a fresh session`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let old = try await Owner.joined(visitor)
      server.pass(.seconds(301))
      #expect(try await old.web.send(.get, Route.sessions).problem == .notFresh)
      var new = old
      _ = try await new.logIn()
      var label = WireSessionLabel()
      label.label = blob(700)
      let path = Route.sessions + "/\(old.sessionID)"
      #expect(try await old.web.send(.put, path + "/label", label).status == 204)
      let list = try await new.web.send(.get, Route.sessions).message(WireSessionList.self)
      #expect(list.sessions.map(\.sessionID) == [old.sessionID, new.sessionID])
      #expect(list.sessions.map(\.current) == [false, true])
      #expect(list.sessions.first?.label == label.label)

      let newPath = Route.sessions + "/\(new.sessionID)"
      #expect(try await old.web.send(.delete, newPath).problem == .notFresh)
      #expect(try await new.web.send(.delete, path).status == 204)
      #expect(try await old.web.send(.get, Route.vault).problem == .unauthorized)
      #expect(try await new.web.send(.delete, path).problem == .notFound)
      #expect(try await new.web.send(.delete, Route.sessions + "/x").problem == .malformed)
      label.label = blob(Limits.labelBytes + 1)
      #expect(try await new.web.send(.put, newPath + "/label", label).problem == .tooLarge)
    }
  }

  @Test func `one may log out at any time`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      server.pass(.seconds(10_000))
      #expect(
        try await alice.web.send(.delete, Route.sessions + "/\(alice.sessionID)").status == 204)
      #expect(try await alice.web.send(.get, Route.vault).problem == .unauthorized)
    }
  }

  @Test func `a session ends 90 days after its last use`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      server.pass(.seconds(80 * 86_400))
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
      server.pass(.seconds(80 * 86_400))
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
      server.pass(.seconds(91 * 86_400))
      #expect(try await alice.web.send(.get, Route.vault).problem == .unauthorized)
    }
  }
}
