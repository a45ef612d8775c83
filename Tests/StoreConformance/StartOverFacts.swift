// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

/// When a start-over that is asked for at `start` takes effect.
private let due = start + .seconds(72 * 3_600)

extension Person {
  func startOver(now: Timestamp = start) async throws -> StartOver {
    try await store.startOver(caller: caller, now: now)
  }

  /// The change, from a session that is not fresh at `now`.
  fileprivate func rotateLate(
    _ change: KeyringChange, _ credential: Credential = .random(), now: Timestamp
  ) async throws -> KeyringOutcome {
    try await store.putCredential(
      credential, change, caller: caller, freshAfter: now - .seconds(300), now: now)
  }

  /// Whether a start-over is pending that would admit this session when it is due.
  fileprivate func canStartOver() async throws -> Bool {
    let change = try await rotation()
    do {
      guard case .stored = try await rotateLate(change, now: due) else { return false }
      return true
    } catch StoreError.notFresh { return false }
  }
}

extension Fact {
  static let startOver = [
    Fact("a start-over is shown to every session, the first one only") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      #expect(try await other.vault().startOver == nil)
      let wish = StartOver(session: person.caller.session, requestedAt: start)
      #expect(try await person.startOver() == wish)
      #expect(wish.dueAt == due)
      #expect(try await other.vault().startOver == wish)
      #expect(try await other.changes().vault.startOver == wish)
      #expect(try await other.startOver(now: start + .seconds(1)) == wish)
    },
    Fact("a start-over takes effect after 72 hours, for the session that asked") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      _ = try await person.startOver()
      let change = try await person.rotation()
      await #expect(throws: StoreError.notFresh) {
        try await person.rotateLate(change, now: due - .milliseconds(1))
      }
      await #expect(throws: StoreError.notFresh) { try await other.rotateLate(change, now: due) }
      let credential = Credential.random()
      let outcome = try await person.rotateLate(change, credential, now: due)
      #expect(outcome == .stored(try await person.keyring().tag, seq: 2))
      #expect(try await person.vault().startOver == nil)
      await #expect(throws: StoreError.unauthorized) { try await other.vault() }
      // The same request again gets its answer, and another one nothing: it was good once.
      #expect(try await person.rotateLate(change, credential, now: due) == outcome)
      let again = try await person.rotation()
      await #expect(throws: StoreError.notFresh) { try await person.rotateLate(again, now: due) }
      try await person.expectClean()
    },
    Fact("a start-over that leaves what was lost in use is refused") { store in
      let person = try await Person(store)
      _ = try await person.startOver()
      let tag = try await person.keyring().tag
      let routine = KeyringChange.random(.unchanged(tag), commit: nil)
      #expect(
        try await person.rotateLate(routine, now: due) == .refused(.fieldValue("commit")))
      let same = KeyringChange.random(.unchanged(tag), commit: try await person.commit())
      #expect(try await person.rotateLate(same, now: due) == .refused(.fieldValue("epoch")))
      let kept = try await person.rotation(kit: nil)
      #expect(
        try await person.rotateLate(kept, now: due) == .refused(.fieldValue("recovery_slot")))
    },
    Fact("a start-over admits to nothing else that needs a fresh login") { store in
      let person = try await Person(store)
      _ = try await person.startOver()
      let change = KeyringChange.random(
        .unchanged(try await person.keyring().tag), commit: try await person.commit())
      await #expect(throws: StoreError.notFresh) {
        try await store.putKeyring(
          change, caller: person.caller, freshAfter: due - .seconds(300), now: due)
      }
      let request = try await DeletionRequest.random(person.vault())
      await #expect(throws: StoreError.notFresh) {
        try await person.deleteVault(request, freshAfter: due - .seconds(300), now: due)
      }
    },
    Fact("a login, a refusal, new credentials and a recovery cancel a start-over") { store in
      let causes: [(String, @Sendable (Person, Person) async throws -> Person)] = [
        (
          "a login",
          { person, _ in
            _ = try await person.otherDevice(now: due)
            return person
          }
        ),
        (
          "a refusal",
          { person, other in
            try await store.refuseStartOver(caller: other.caller, now: due)
            return person
          }
        ),
        (
          "one's own refusal",
          { person, _ in
            try await store.refuseStartOver(caller: person.caller, now: due)
            return person
          }
        ),
        (
          "new credentials",
          { person, _ in
            _ = try await person.putCredential(
              .random(.unchanged(person.keyring().tag), commit: nil))
            return person
          }
        ),
      ]
      for (name, cause) in causes {
        let person = try await Person(store)
        let other = try await person.otherDevice()
        _ = try await person.startOver()
        let left = try await cause(person, other)
        #expect(try await left.vault().startOver == nil, "\(name)")
        #expect(try await !left.canStartOver(), "\(name)")
      }
      let person = try await Person(store)
      _ = try await person.startOver()
      _ = try await person.recover(person.rotation(), person.claim())
      #expect(try await person.otherDevice().vault().startOver == nil)
    },
    Fact("a login that does not succeed cancels nothing") { store async throws in
      let person = try await Person(store)
      let wish = try await person.startOver()
      var late = NewSession(caller: person.caller, credentialVersion: 9)
      late.caller.session = .random()
      #expect(try await store.createSession(late, now: start) == .stale)
      var clash = person.login
      clash.caller.tokenHash = .random()
      #expect(try await store.createSession(clash, now: start) == .stale)
      #expect(try await person.vault().startOver == wish)
    },
    Fact("a start-over ends with the session that asked, and with no other") { store in
      let person = try await Person(store)
      let (second, third) = try await (person.otherDevice(), person.otherDevice())
      let wish = try await second.startOver()
      #expect(try await store.endSession(third.caller.session, caller: person.caller, now: start))
      #expect(try await person.vault().startOver == wish)
      #expect(try await store.endSession(second.caller.session, caller: person.caller, now: start))
      #expect(try await person.vault().startOver == nil)
    },
    Fact("a start-over does not outlive the vault") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      _ = try await other.startOver()
      _ = try await person.deleteVault(.random(person.vault()))
      let deletion = try #require(try await person.deletion())
      await #expect(throws: StoreError.gone(deletion)) { try await person.startOver() }
      _ = try await person.begin(after: deletion, generation: 2, epoch: 2)
      #expect(try await person.vault().startOver == nil)
    },
    Fact("whoever waits is woken by a start-over") { store in
      let person = try await Person(store)
      var moves = store.signals.moves(of: person.user).makeAsyncIterator()
      _ = try await person.startOver()
      await store.close()
      #expect(await moves.next() != nil)
    },
  ]
}
