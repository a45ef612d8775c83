// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension Fact {
  static let accounts = [
    Fact("an account begins with its first head, its keys and no record") { store in
      let person = try await Person(store, generation: 3, epoch: 2)
      let vault = try await person.vault()
      #expect(vault.generation == 3)
      #expect(vault.epoch == 2)
      let head = person.account.head
      #expect(vault.head == Head(seq: 1, blob: head, hash: .of(head)))
      #expect(vault.recordCount == 0)
      #expect(vault.bytes == 0)
      #expect(try await person.keyring().keys == person.account.keys)
      try await person.expectClean()
    },
    Fact("a repeated registration gets the first answer, whatever came since") { store in
      let person = try await Person(store)
      try await person.write(.random())
      #expect(try await store.createAccount(person.account, now: start) == .created)
      #expect(try await person.vault().head.seq == 2)
    },
    Fact("a name that is taken makes no account") { store in
      let first = try await Person(store)
      var second = NewAccount.random()
      second.nameKey = first.account.nameKey
      #expect(try await store.createAccount(second, now: start) == .taken)
      #expect(try await store.account(named: second.nameKey)?.user == first.user)
      // Nothing is left of the refused one: under another name the same id is free.
      second.nameKey = .random()
      #expect(try await store.createAccount(second, now: start) == .created)
    },
    Fact("an id in use with another registration makes no account") { store in
      let person = try await Person(store)
      var second = NewAccount.random()
      second.user = person.user
      #expect(try await store.createAccount(second, now: start) == .taken)
      var third = person.account
      third.registrationHash = .random()
      #expect(try await store.createAccount(third, now: start) == .taken)
      #expect(try await store.account(named: second.nameKey) == nil)
    },
    Fact("an account with a part of a wrong size is refused") { store in
      let changes: [(inout NewAccount) -> Void] = [
        { $0.head = .blob(611) }, { $0.head = .blob(4_097) },
        { $0.keys.passwordSlot = .blob(611) }, { $0.keys.recovery.slot = Data() },
        { $0.keys.recovery.publicKey = .random(31) }, { $0.keys.keyring = .blob(65_537) },
        { $0.credential.record = .random(191) }, { $0.generation = 0 },
      ]
      for change in changes {
        var account = NewAccount.random()
        change(&account)
        let outcome = try await store.createAccount(account, now: start)
        guard case .refused = outcome else {
          Issue.record("\(outcome)")
          continue
        }
        #expect(try await store.account(named: account.nameKey) == nil)
      }
    },
    Fact("of registrations of one name at once exactly one makes the account") { store in
      let name = NameKey.random()
      let outcomes = try await withThrowingTaskGroup { group in
        for _ in 0..<16 {
          group.addTask {
            var account = NewAccount.random()
            account.nameKey = name
            return try await store.createAccount(account, now: start)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 == .created } == 1)
      #expect(outcomes.count { $0 == .taken } == 15)
    },
    Fact("an account is found by its own name and by no other") { store in
      let person = try await Person(store)
      let found = try #require(try await store.account(named: person.account.nameKey))
      #expect(found.user == person.user)
      #expect(found.credential == person.account.credential)
      #expect(try await store.account(named: .random()) == nil)
    },
  ]
}
