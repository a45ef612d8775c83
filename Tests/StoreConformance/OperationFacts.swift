// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension Fact {
  static let operation = [
    Fact(
      "a sweep takes what has had its time, and nothing else", policy: longLoginLife
    ) { store in
      let person = try await Person(store)
      try await store.sweep(now: start)
      #expect(try await store.sessions(caller: person.caller, now: start).count == 1)
      // A login is remembered for as long as it might be repeated.
      #expect(try await store.endSession(person.caller.session, caller: person.caller, now: start))
      try await store.sweep(now: start + .seconds(60))
      #expect(try await store.createSession(person.login, now: start + .seconds(60)) == .stale)
    },
    Fact("whoever waits is woken by a commit, and another user's waiters are not") { store in
      let person = try await Person(store)
      let other = try await Person(store)
      var moves = store.signals.moves(of: person.user).makeAsyncIterator()
      var others = store.signals.moves(of: other.user).makeAsyncIterator()
      try await person.write(.random())
      // The streams end here: a wake that did not come is an end instead, never a wait.
      await store.close()
      #expect(await moves.next() != nil)
      #expect(await moves.next() == nil)
      #expect(await others.next() == nil)
    },
    Fact("whoever waits is woken by a deletion, a change of keys and an ended session") { store in
      let changes: [@Sendable (Person) async throws -> Void] = [
        { _ = try await $0.deleteVault(.random($0.vault())) },
        { _ = try await $0.putCredential(.random(.unchanged($0.keyring().tag), commit: nil)) },
        { _ = try await store.endSession($0.caller.session, caller: $0.caller, now: start) },
      ]
      var streams: [AsyncStream<Void>] = []
      for change in changes {
        let person = try await Person(store)
        streams.append(store.signals.moves(of: person.user))
        try await change(person)
      }
      await store.close()
      for stream in streams {
        var moves = stream.makeAsyncIterator()
        #expect(await moves.next() != nil)
      }
    },
    Fact("a commit that changes nothing wakes nobody") { store in
      let person = try await Person(store)
      var conflict = try await person.commit()
      conflict.baseSeq = 7
      var moves = store.signals.moves(of: person.user).makeAsyncIterator()
      try await person.apply(conflict)
      await store.close()
      #expect(await moves.next() == nil)
    },
    Fact("users are listed with what they take, a page at a time") { store in
      let people = [try await Person(store), try await Person(store), try await Person(store)]
      for (index, person) in people.enumerated() {
        for number in 0...index { try await person.write(.random(bytes: 700 + number)) }
      }
      let record = try #require(try await people[0].everything().keys.first)
      try await people[0].write(.random(record, 2, bytes: 800))
      var sizes: [UserSize] = []
      while true {
        let page = try await store.users(after: sizes.last?.user, limit: 2, now: start)
        #expect(page.count <= 2)
        sizes += page
        if page.count < 2 { break }
      }
      #expect(sizes.map(\.user) == sizes.map(\.user).sorted())
      let own = people.map { person in sizes.first { $0.user == person.user } }
      #expect(own.map { $0?.recordCount } == [1, 2, 3])
      #expect(own.map { $0?.bytes } == [800, 1_401, 2_103])
      #expect(own.map { $0?.historyBytes } == [700, 0, 0])
      #expect(own.map { $0?.sessions } == [1, 1, 1])
    },
    Fact("a closed store is unavailable") { store in
      let person = try await Person(store)
      let commit = try await person.commit()
      await store.close()
      await #expect(throws: StoreError.unavailable(.closed)) { try await person.vault() }
      await #expect(throws: StoreError.unavailable(.closed)) { try await person.apply(commit) }
      await #expect(throws: StoreError.unavailable(.closed)) { try await store.ping() }
    },
  ]
}
