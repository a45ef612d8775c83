// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

typealias Call = @Sendable (any VaultStore) async throws -> Void

/// Every method that takes a caller, with these arguments.
func everyCall(
  caller: Caller, record: RecordID, session: SessionID, commit: Commit, change: KeyringChange,
  deletion: DeletionRequest
) -> [(String, Call)] {
  let feed = FeedRequest(cursor: nil, headsFrom: 1, limit: 1 << 20, rowsOnly: false)
  return [
    ("session", { _ = try await $0.session(caller: caller, now: start) }),
    ("sessions", { _ = try await $0.sessions(caller: caller, now: start) }),
    ("endSession", { _ = try await $0.endSession(session, caller: caller, now: start) }),
    (
      "setLabel",
      { _ = try await $0.setLabel(.blob(), of: session, caller: caller, now: start) }
    ),
    ("vault", { _ = try await $0.vault(caller: caller, now: start) }),
    ("apply", { _ = try await $0.apply(commit, caller: caller, now: start) }),
    ("changes", { _ = try await $0.changes(feed, caller: caller, now: start) }),
    (
      "fetch",
      {
        _ = try await $0.fetch(
          [RowKey(record: record, hash: .random())], limit: 1, caller: caller, now: start)
      }
    ),
    ("record", { _ = try await $0.record(record, caller: caller, now: start) }),
    ("revisions", { _ = try await $0.revisions(of: record, caller: caller, now: start) }),
    ("revision", { _ = try await $0.revision(1, of: record, caller: caller, now: start) }),
    ("keyring", { _ = try await $0.keyring(caller: caller, now: start) }),
    (
      "putKeyring",
      { _ = try await $0.putKeyring(change, caller: caller, freshAfter: start, now: start) }
    ),
    (
      "putCredential",
      {
        _ = try await $0.putCredential(
          .random(), change, caller: caller, freshAfter: start, now: start)
      }
    ),
    ("startOver", { _ = try await $0.startOver(caller: caller, now: start) }),
    ("refuseStartOver", { try await $0.refuseStartOver(caller: caller, now: start) }),
    (
      "deleteVault",
      {
        _ = try await $0.deleteVault(deletion, caller: caller, freshAfter: start, now: start) {
          _ in .random(9)
        }
      }
    ),
  ]
}

extension Fact {
  static let isolation = [
    Fact("no method answers to a session that is not the user's") { store in
      let person = try await Person(store)
      let thief = try await Person(store)
      try await person.write(.random())
      let before = try await person.vault()
      let keyring = try await person.keyring()
      let commit = try await person.commit([.random()])
      let record = try #require(try await person.everything().keys.first)
      var caller = thief.caller
      caller.user = person.user
      let calls = everyCall(
        caller: caller, record: record, session: person.caller.session, commit: commit,
        change: .random(.unchanged(keyring.tag), commit: commit),
        deletion: .random(before))
      for (name, call) in calls {
        await #expect(throws: StoreError.unauthorized, "\(name)") { try await call(store) }
      }
      #expect(try await person.vault() == before)
      #expect(try await person.keyring() == keyring)
    },
    Fact("another user's ids are absent to every method") { store in
      let person = try await Person(store)
      let thief = try await Person(store)
      let record = RecordID.random()
      let old = Revision.random(record)
      let new = Revision.random(record, 2)
      try await person.write(old)
      try await person.write(new)
      let caller = thief.caller
      #expect(try await store.record(record, caller: caller, now: start) == nil)
      #expect(try await store.revisions(of: record, caller: caller, now: start) == [])
      for number: UInt64 in 1...2 {
        let read = try await store.revision(number, of: record, caller: caller, now: start)
        #expect(read == nil)
      }
      let key = RowKey(record: record, hash: new.hash)
      #expect(
        try await store.fetch([key], limit: 9, caller: caller, now: start) == [.moved(record)])
      #expect(try await thief.changes().rows.isEmpty)
      let session = person.caller.session
      #expect(try await !store.endSession(session, caller: caller, now: start))
      #expect(try await !store.setLabel(.blob(), of: session, caller: caller, now: start))
      #expect(try await store.sessions(caller: caller, now: start).count == 1)
      // The same record id and the same commit id are the thief's own, if he likes.
      let mine = Revision.random(record)
      try await thief.write(mine)
      #expect(try await store.record(record, caller: person.caller, now: start) == new)
      #expect(try await store.record(record, caller: caller, now: start) == mine)
      var commit = try await person.commit([.random()])
      try await person.apply(commit)
      commit.baseSeq = 2
      #expect(try await thief.apply(commit) == .accepted(seq: 3))
    },
    Fact("another user's head, keyring tag and certificate open nothing") { store in
      let person = try await Person(store)
      let thief = try await Person(store)
      let vault = try await thief.vault()
      let tag = try await thief.keyring().tag
      let foreign = try await person.keyring().tag
      let change = KeyringChange.random(.unchanged(foreign), commit: try await thief.commit())
      #expect(try await thief.putKeyring(change) == .conflict(tag, vault))
      #expect(try await thief.deleteVault(.random(person.vault())) == .conflict(vault))
      _ = try await person.deleteVault(.random(person.vault()))
      let deletion = try #require(try await person.deletion())
      #expect(
        try await thief.begin(after: deletion, generation: 9, epoch: 9) == .conflict(tag, vault))
    },
    Fact("one user's deletion leaves another's vault as it is") { store in
      let person = try await Person(store)
      let neighbour = try await Person(store)
      try await neighbour.write(.random())
      let before = try await neighbour.everything()
      _ = try await person.deleteVault(.random(person.vault(), withAccount: true))
      #expect(try await neighbour.everything() == before)
      try await neighbour.expectClean()
    },
  ]
}
