// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

private let day = Duration.seconds(86_400)

extension Fact {
  static let sessions = [
    Fact("a login gives the session with the vault and its keys") { store in
      let account = NewAccount.random()
      _ = try await store.createAccount(account, now: start)
      let caller = Caller(user: account.user, session: .random(), tokenHash: .random())
      let outcome = try await store.createSession(
        NewSession(caller: caller, credentialVersion: 1), now: start)
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
      let again = NewSession(caller: person.caller, credentialVersion: 1)
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
      for (caller, version) in [(unknown, 1), (person.caller, 2), (person.caller, 0)] {
        let new = NewSession(caller: caller, credentialVersion: UInt64(version))
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
    Fact("an account may be changed only by name of its own and after a fresh login") { store in
      let person = try await Person(store)
      let other = try await Person(store)
      let own = try await store.account(
        named: person.account.nameKey, caller: person.caller, freshAfter: start, now: start)
      #expect(own?.user == person.user)
      let foreign = try await store.account(
        named: other.account.nameKey, caller: person.caller, freshAfter: start, now: start)
      #expect(foreign == nil)
      await #expect(throws: StoreError.notFresh) {
        try await store.account(
          named: person.account.nameKey, caller: person.caller,
          freshAfter: start + .milliseconds(1), now: start)
      }
    },
  ]
}
