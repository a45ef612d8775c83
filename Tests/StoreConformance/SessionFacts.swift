// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

private let day = Duration.seconds(86_400)

/// Finished logins outlive the sweeps of other facts.
let longLoginLife = policy { $0.loginLife = day * 400 }

extension Fact {
  static let sessions = [
    Fact("a login gives the session with the vault and its keys") { store in
      let account = NewAccount.random()
      _ = try await store.createAccount(account, now: start)
      let caller = Caller(user: account.user, session: .random(), tokenHash: .random())
      let outcome = try await store.createSession(
        NewSession(
          caller: caller, credentialVersion: try await store.credentialVersion(of: account)),
        now: start)
      guard case .opened(let session, let vault, let keyring) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(session.id == caller.session)
      #expect(session.createdAt == start)
      #expect(session.expiresAt == start + day * 90)
      #expect(vault.head.blob == account.head)
      #expect(keyring.keys == account.keys)
    },
    Fact("only the right user, number and token together are a session") { store in
      let person = try await Person(store)
      let other = try await Person(store)
      var callers = [person.caller, person.caller, person.caller]
      callers[0].user = other.user
      callers[1].session = SessionID(number: person.caller.session.number ^ 1)
      callers[2].tokenHash = .random()
      for caller in callers {
        await #expect(throws: StoreError.unauthorized) {
          try await store.vault(caller: caller, now: start)
        }
      }
    },
    Fact("a repeated login gives the same session, another token none") { store in
      let person = try await Person(store)
      let again = person.login
      let repeated = try await store.createSession(again, now: start + .seconds(9))
      guard case .opened(let session, _, _) = repeated else {
        Issue.record("\(repeated)")
        return
      }
      #expect(session.createdAt == start)
      var other = again
      other.caller.tokenHash = .random()
      #expect(try await store.createSession(other, now: start) == .stale)
      #expect(try await store.sessions(caller: person.caller, now: start).count == 1)
    },
    Fact("a login of nobody, or begun under an older credential, makes no session") { store in
      let person = try await Person(store)
      let unknown = Caller(user: .random(), session: .random(), tokenHash: .random())
      let other = Caller(user: person.user, session: .random(), tokenHash: .random())
      let version = person.credentialVersion
      for (caller, version) in [(unknown, version), (other, version + 1), (other, 0)] {
        let new = NewSession(caller: caller, credentialVersion: version)
        #expect(try await store.createSession(new, now: start) == .stale)
      }
    },
    Fact("a session ends when it was not used for long, and each use puts that off") { store in
      let person = try await Person(store)
      let idle = try await person.otherDevice()
      _ = try await person.vault(now: start + day * 89)
      _ = try await person.vault(now: start + day * 178)
      await #expect(throws: StoreError.unauthorized) {
        try await idle.vault(now: start + day * 90)
      }
      let session = try await store.session(caller: person.caller, now: start + day * 178)
      #expect(session.usedAt == start + day * 178)
      #expect(session.expiresAt == start + day * 268)
      await #expect(throws: StoreError.unauthorized) {
        try await person.vault(now: start + day * 268)
      }
    },
    Fact("sessions are listed oldest first, with their labels; an ended one is gone") { store in
      let first = try await Person(store)
      let second = try await first.otherDevice(now: start + .seconds(1))
      let label = Data.blob()
      #expect(
        try await store.setLabel(
          label, of: second.caller.session, caller: first.caller, now: start))
      let listed = try await store.sessions(caller: first.caller, now: start)
      #expect(listed.map(\.id) == [first.caller.session, second.caller.session])
      #expect(listed.map(\.label) == [nil, label])
      #expect(
        try await store.endSession(second.caller.session, caller: first.caller, now: start))
      await #expect(throws: StoreError.unauthorized) { try await second.vault() }
      #expect(
        try await !store.endSession(second.caller.session, caller: first.caller, now: start))
      #expect(try await store.sessions(caller: first.caller, now: start).count == 1)
    },
    Fact("a label is removed again, and one of a wrong size is not stored") { store in
      let person = try await Person(store)
      let id = person.caller.session
      for label in [Data(), .blob(4_097)] {
        #expect(try await !store.setLabel(label, of: id, caller: person.caller, now: start))
      }
      #expect(try await store.setLabel(.blob(4_096), of: id, caller: person.caller, now: start))
      #expect(try await store.setLabel(nil, of: id, caller: person.caller, now: start))
      #expect(try await store.session(caller: person.caller, now: start).label == nil)
    },
    Fact(
      "a login whose session was ended makes no session again", policy: longLoginLife
    ) { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      #expect(try await store.endSession(other.caller.session, caller: person.caller, now: start))
      #expect(try await store.createSession(other.login, now: start + .seconds(59)) == .stale)
      await #expect(throws: StoreError.unauthorized) { try await other.vault() }
      #expect(try await store.sessions(caller: person.caller, now: start).count == 1)
      // One's own, too.
      #expect(try await store.endSession(person.caller.session, caller: person.caller, now: start))
      #expect(try await store.createSession(person.login, now: start) == .stale)
    },
    Fact("a login to an account that was deleted makes no session in its successor") { store in
      let person = try await Person(store)
      var late = person.login
      late.caller.session = .random()
      late.caller.tokenHash = .random()
      _ = try await person.deleteVault(.random(person.vault(), withAccount: true))
      var again = person.account
      again.generation = 2
      again.registrationHash = .random()
      #expect(try await store.createAccount(again, now: start) == .created)
      #expect(try await store.createSession(late, now: start) == .stale)
      #expect(try await store.createSession(person.login, now: start) == .stale)
      let version = try await store.credentialVersion(of: again)
      #expect(version != person.credentialVersion)
      late.credentialVersion = version
      #expect(try await store.createSession(late, now: start) != .stale)
    },
    Fact(
      "of too many sessions the one that was not used for longest ends",
      policy: policy {
        $0.sessionCount = 3
        $0.loginLife = day * 400
      }
    ) { store in
      let first = try await Person(store)
      let second = try await first.otherDevice(now: start + day)
      let third = try await first.otherDevice(now: start + day * 2)
      _ = try await first.vault(now: start + day * 3)
      let fourth = try await first.otherDevice(now: start + day * 3)
      let listed = try await store.sessions(caller: first.caller, now: start + day * 3)
      #expect(
        listed.map(\.id) == [first, third, fourth].map(\.caller.session))
      await #expect(throws: StoreError.unauthorized) { try await second.vault() }
      #expect(try await store.createSession(second.login, now: start + day) == .stale)
    },
    Fact("a token is known while its session is there, even ended by a deletion") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      var callers = [person.caller, person.caller, person.caller]
      callers[0].user = .random()
      callers[1].session = .random()
      callers[2].tokenHash = .random()
      for caller in callers { #expect(try await !store.hasSession(caller, now: start)) }
      #expect(try await store.hasSession(person.caller, now: start))
      #expect(try await !store.hasSession(person.caller, now: start + day * 90))
      _ = try await person.deleteVault(.random(person.vault()))
      #expect(try await store.hasSession(person.caller, now: start))
      #expect(try await store.hasSession(other.caller, now: start))
      #expect(try await store.endSession(person.caller.session, caller: person.caller, now: start))
      #expect(try await !store.hasSession(person.caller, now: start))
    },
  ]
}
