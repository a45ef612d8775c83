// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension KeyringChange {
  /// New slots and keyring on a condition, with a new kit or without.
  static func random(
    _ condition: Condition, kit: RecoveryKit? = .random(), commit: Commit?
  ) -> KeyringChange {
    KeyringChange(
      condition: condition, passwordSlot: .blob(), recovery: kit, keyring: .blob(),
      commit: commit)
  }
}

extension Person {
  func putKeyring(_ change: KeyringChange, now: Timestamp = start) async throws -> KeyringOutcome {
    try await store.putKeyring(change, caller: caller, freshAfter: start, now: now)
  }

  func putCredential(_ change: KeyringChange, _ credential: Credential = .random())
    async throws -> KeyringOutcome
  {
    try await store.putCredential(
      credential, change, caller: caller, freshAfter: start, now: start)
  }
}

extension Fact {
  static let keys = [
    Fact("a password change ends all other sessions and older logins") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let before = try await person.keyring()
      let change = KeyringChange.random(.unchanged(before.tag), kit: nil, commit: nil)
      let credential = Credential.random()
      let outcome = try await person.putCredential(change, credential)
      let after = try await person.keyring()
      #expect(outcome == .stored(after.tag, seq: 1))
      #expect(after.tag != before.tag)
      #expect(after.keys.passwordSlot == change.passwordSlot)
      #expect(after.keys.keyring == change.keyring)
      #expect(after.keys.recovery == before.keys.recovery)
      await #expect(throws: StoreError.unauthorized) { try await other.vault() }
      let account = try #require(try await store.account(named: person.account.nameKey))
      #expect(account.credential == credential)
      var late = person.login
      late.caller.session = .random()
      #expect(try await store.createSession(late, now: start) == .stale)
      #expect(try await person.putCredential(change, credential) == outcome)
      try await person.expectClean()
    },
    Fact("keys that were changed meanwhile are not overwritten") { store in
      let person = try await Person(store)
      let stale = try await person.keyring().tag
      let first = try await person.putCredential(.random(.unchanged(stale), commit: nil))
      let tag = try await person.keyring().tag
      #expect(first == .stored(tag, seq: 1))
      let vault = try await person.vault()
      let second = KeyringChange.random(.unchanged(stale), commit: try await person.commit())
      #expect(try await person.putCredential(second) == .conflict(tag, vault))
      #expect(try await person.putKeyring(second) == .conflict(tag, vault))
      #expect(try await person.keyring().tag == tag)
    },
    Fact("a rotation raises the epoch in one transaction with slots and head") { store in
      let person = try await Person(store)
      try await person.write(.random())
      let tag = try await person.keyring().tag
      let old = try await person.commit([.random()])
      var commit = try await person.commit()
      commit.epoch = 2
      let change = KeyringChange.random(.unchanged(tag), commit: commit)
      let credential = Credential.random()
      let outcome = try await person.putCredential(change, credential)
      let vault = try await person.vault()
      #expect(vault.epoch == 2)
      #expect(vault.head.blob == commit.head)
      #expect(outcome == .stored(try await person.keyring().tag, seq: 3))
      #expect(try await person.apply(old) == .conflict(vault))
      // Asked again after a lost answer: the first answer.
      #expect(try await person.putCredential(change, credential) == outcome)
      #expect(try await person.vault() == vault)
      try await person.expectClean()
    },
    Fact("a rotation makes the next epoch and a new kit") { store in
      let person = try await Person(store)
      var change = try await person.rotation()
      change.commit?.epoch = 3
      #expect(try await person.putCredential(change) == .refused(.fieldValue("epoch")))
      change = try await person.rotation(kit: nil)
      #expect(try await person.putCredential(change) == .refused(.fieldValue("recovery_slot")))
      #expect(try await person.vault().epoch == 1)
    },
    Fact(
      "records of an older epoch are sealed anew whatever the quota says, and nothing else is",
      policy: policy { $0.quotaBytes = 2_000 }
    ) { store in
      let person = try await Person(store, epoch: 0x0102_0304)
      let ids = (0..<3).map { _ in RecordID.random() }
      let old = ids.map { Revision($0, 1, .sealed(epoch: 0x0102_0304, 660)) }
      #expect(
        try await person.apply(person.commit(old))
          == .accepted(seq: 2))
      guard case .stored = try await person.putCredential(person.rotation()) else {
        Issue.record("no rotation")
        return
      }
      func attempt(_ revisions: Revision...) async throws -> CommitOutcome {
        try await person.apply(person.commit(revisions))
      }
      let full = CommitOutcome.quotaExceeded(try await person.vault())
      let (next, most) = (UInt32(0x0102_0305), 660 + 660 / 8 + 512)
      #expect(try await attempt(Revision(ids[0], 2, .sealed(epoch: next, most + 1))) == full)
      #expect(
        try await attempt(Revision(ids[0], 2, .sealed(epoch: 0x0102_0304, 700))) == full)
      #expect(
        try await attempt(
          Revision(ids[0], 2, .sealed(epoch: next, 700)),
          Revision(.random(), 1, .sealed(epoch: next, 612))) == full)
      #expect(
        try await attempt(
          Revision(ids[0], 2, .sealed(epoch: next, most)),
          Revision(ids[1], 2, .sealed(epoch: next, 700))) == .accepted(seq: 4))
      #expect(
        try await attempt(Revision(ids[2], 2, .sealed(epoch: next, 700))) == .accepted(seq: 5))
      // Once it is of the newest epoch, it grows like any other.
      let over = CommitOutcome.quotaExceeded(try await person.vault())
      #expect(try await attempt(Revision(ids[2], 3, .sealed(epoch: next, 710))) == over)
      try await person.expectClean()
    },
    Fact("a known commit id with other keys, another password or kit is refused") { store in
      let person = try await Person(store)
      let credential = Credential.random()
      var commit = try await person.commit()
      commit.epoch = 2
      let tag = try await person.keyring().tag
      let change = KeyringChange.random(.unchanged(tag), commit: commit)
      #expect(
        try await person.putCredential(change, credential)
          == .stored(try await person.keyring().tag, seq: 2))
      let (keyring, vault) = try await (person.keyring(), person.vault())
      let others: [(inout KeyringChange) -> Void] = [
        { $0.passwordSlot = .blob() }, { $0.keyring = .blob() }, { $0.recovery = .random() },
        { $0.recovery = nil }, { $0.recovery?.publicKey = .random(32) },
        { $0.condition = .unchanged(keyring.tag) },
        { $0.condition = .newBeginning(tag, head: .random()) }, { $0.commit?.baseSeq = 0 },
        { $0.commit?.generation = 2 }, { $0.commit?.epoch = 3 }, { $0.commit?.head = .blob() },
      ]
      for (index, other) in others.enumerated() {
        var changed = change
        other(&changed)
        if case .newBeginning = changed.condition { changed.commit?.baseSeq = 0 }
        #expect(
          try await person.putCredential(changed, credential) == .refused(.idReused), "\(index)")
      }
      var records = [credential, credential, credential]
      records[0].record = .random(192)
      records[1].profile = 3
      records[2].secretsVersion = 2
      for record in records {
        #expect(try await person.putCredential(change, record) == .refused(.idReused))
      }
      #expect(try await person.putKeyring(change) == .refused(.idReused))
      // Nor is it a commit of records, nor are those a change of keys.
      #expect(try await person.apply(commit) == .refused(.idReused))
      let plain = try await person.commit()
      #expect(try await person.apply(plain) == .accepted(seq: 3))
      #expect(
        try await person.putKeyring(.random(.unchanged(keyring.tag), commit: plain))
          == .refused(.idReused))
      #expect(try await person.keyring() == keyring)
      #expect(try await person.vault().epoch == vault.epoch)
      let account = try await store.account(named: person.account.nameKey)
      #expect(account?.credential == credential)
    },
    Fact("a change of keys on an older head conflicts") { store in
      let person = try await Person(store)
      let commit = try await person.commit()
      try await person.write(.random())
      let keyring = try await person.keyring()
      let change = KeyringChange.random(.unchanged(keyring.tag), commit: commit)
      let conflict = KeyringOutcome.conflict(keyring.tag, try await person.vault())
      #expect(try await person.putKeyring(change) == conflict)
      #expect(try await person.putCredential(change) == conflict)
    },
    Fact("keys alone need a commit and keep the epoch") { store in
      let person = try await Person(store)
      let tag = try await person.keyring().tag
      let bare = KeyringChange.random(.unchanged(tag), commit: nil)
      #expect(try await person.putKeyring(bare) == .refused(.fieldValue("commit")))
      var change = KeyringChange.random(.unchanged(tag), commit: try await person.commit())
      change.commit?.epoch = 2
      #expect(try await person.putKeyring(change) == .refused(.fieldValue("epoch")))
      change.commit?.epoch = 1
      change.commit?.revisions = [.random()]
      #expect(try await person.putKeyring(change) == .refused(.fieldValue("records")))
      change.commit?.revisions = []
      let outcome = try await person.putKeyring(change)
      #expect(outcome == .stored(try await person.keyring().tag, seq: 2))
      #expect(try await person.putKeyring(change) == outcome)
      #expect(try await person.keyring().keys.recovery == change.recovery)
    },
    Fact("keys change only after a fresh login, and only of right sizes") { store in
      let person = try await Person(store)
      let tag = try await person.keyring().tag
      let change = KeyringChange.random(.unchanged(tag), commit: try await person.commit())
      let late = start + .milliseconds(1)
      await #expect(throws: StoreError.notFresh) {
        try await store.putKeyring(change, caller: person.caller, freshAfter: late, now: start)
      }
      await #expect(throws: StoreError.notFresh) {
        try await store.putCredential(
          .random(), change, caller: person.caller, freshAfter: late, now: start)
      }
      var wrong = change
      wrong.passwordSlot = .blob(611)
      #expect(
        try await person.putKeyring(wrong) == .refused(.fieldSize("password_slot", bytes: 611)))
      #expect(try await person.keyring().tag == tag)
    },
    Fact("a new beginning keeps all rows under a new generation") { store in
      let person = try await Person(store, generation: 4)
      let record = RecordID.random()
      try await person.write(.random(record), .random())
      let newest = Revision.random(record, 2)
      try await person.write(newest)
      let cursor = try await person.changes().cursor
      let old = try await person.commit([.random()])
      let keyring = try await person.keyring()
      let head = try await person.vault().head
      let commit = Commit(
        id: .random(), baseSeq: 0, generation: 9, epoch: 1, revisions: [], head: .blob())
      var change = KeyringChange.random(
        .newBeginning(keyring.tag, head: .random()), commit: commit)
      let conflict = KeyringOutcome.conflict(keyring.tag, try await person.vault())
      #expect(try await person.putKeyring(change) == conflict)
      change.condition = .newBeginning(keyring.tag, head: head.hash)
      change.commit?.generation = 4
      #expect(try await person.putKeyring(change) == .refused(.fieldValue("generation")))
      change.commit?.generation = 9
      let outcome = try await person.putKeyring(change)
      #expect(outcome == .stored(try await person.keyring().tag, seq: 1))
      #expect(try await person.putKeyring(change) == outcome)
      let vault = try await person.vault()
      #expect(vault.generation == 9)
      #expect(vault.head == Head(seq: 1, blob: commit.head, hash: .of(commit.head)))
      #expect(vault.recordCount == 2)
      #expect(try await person.apply(old) == .conflict(vault))
      #expect(try await person.changes(cursor).isReset)
      let rows = try await person.everything()
      #expect(rows.count == 2)
      #expect(rows[record] == newest.row(seq: 1))
      #expect(try await person.write(.random(record, 3)) == 2)
      try await person.expectClean()
    },
  ]
}
