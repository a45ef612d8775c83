// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension NonceUse {
  /// A use by some request of a nonce that nobody has seen.
  ///
  /// Its time is longer than any that other facts sweep in the same database.
  static func random(of user: UserID, life: Duration = .seconds(100 * 86_400)) -> NonceUse {
    NonceUse(user: user, nonce: .random(), request: .random(), expiry: start + life)
  }
}

extension Person {
  /// A proof by this person's kit.
  func claim(_ use: NonceUse? = nil) async throws -> RecoveryClaim {
    RecoveryClaim(
      use: use ?? .random(of: user), publicKey: try await keyring().keys.recovery.publicKey)
  }

  /// A rotation of the vault as it is.
  func rotation(kit: RecoveryKit? = .random()) async throws -> KeyringChange {
    var commit = try await commit()
    commit.epoch += 1
    return .random(.unchanged(try await keyring().tag), kit: kit, commit: commit)
  }

  func recover(
    _ change: KeyringChange, _ proof: RecoveryClaim, _ credential: Credential = .random(),
    now: Timestamp = start
  ) async throws -> KeyringOutcome {
    try await store.putCredential(credential, change, proof: proof, now: now)
  }

  func deleteVault(_ request: DeletionRequest, _ proof: RecoveryClaim, now: Timestamp = start)
    async throws -> DeletionOutcome
  {
    try await store.deleteVault(request, proof: proof, now: now) { _ in .random(200) }
  }
}

extension Fact {
  static let recovery = [
    Fact("what there is to recover is shown with what became of the nonce") { store in
      let person = try await Person(store)
      let use = NonceUse.random(of: person.user)
      let (vault, keyring) = try await (person.vault(), person.keyring())
      #expect(
        try await store.recovery(use)
          == RecoveryStanding(nonce: .unused, vault: vault, keyring: keyring))
      let answer = Data.random(32)
      _ = try await store.useOnce(use, answer: answer, now: start)
      #expect(
        try await store.recovery(use)
          == RecoveryStanding(nonce: .answered(answer), vault: vault, keyring: keyring))
      var other = use
      other.request = .random()
      #expect(try await store.recovery(other).nonce == .spent)
      let nobody = RecoveryStanding(nonce: .unused, vault: nil, keyring: nil)
      #expect(try await store.recovery(.random(of: .random())) == nobody)
      _ = try await person.deleteVault(.random(vault))
      #expect(try await store.recovery(.random(of: person.user)) == nobody)
    },
    Fact("a nonce is good for one request of one user, whose repeats get its answer") {
      store async throws in
      let use = NonceUse.random(of: .random())
      let answer = Data.random(32)
      #expect(try await store.useOnce(use, answer: answer, now: start) == answer)
      #expect(try await store.useOnce(use, answer: .random(32), now: start) == answer)
      var other = use
      other.request = .random()
      #expect(try await store.useOnce(other, answer: .random(32), now: start) == nil)
      other = use
      other.user = .random()
      let own = Data.random(32)
      #expect(try await store.useOnce(other, answer: own, now: start) == own)
      let late = NonceUse.random(of: use.user)
      #expect(try await store.useOnce(late, answer: answer, now: late.expiry) == nil)
    },
    Fact("of requests that use one nonce at once one gets an answer") { store in
      let use = NonceUse.random(of: .random())
      let answered = try await withThrowingTaskGroup(of: Data?.self) { group in
        for number in 0..<16 {
          group.addTask {
            var own = use
            own.request = .random()
            return try await store.useOnce(own, answer: Data([UInt8(number)]), now: start)
          }
        }
        return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
      }
      #expect(answered.count == 1)
    },
    Fact("a sweep takes nonces that have had their time, and no others") { store async throws in
      let short = NonceUse.random(of: .random(), life: .milliseconds(2))
      let long = NonceUse.random(of: short.user)
      for use in [short, long] { _ = try await store.useOnce(use, answer: Data([1]), now: start) }
      try await store.sweep(now: short.expiry)
      #expect(try await store.recovery(short).nonce == .unused)
      #expect(try await store.recovery(long).nonce == .answered(Data([1])))
    },
    Fact("a recovery proof sets new credentials, and ends every session") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      try await person.write(.random())
      let change = try await person.rotation()
      let credential = Credential.random()
      let outcome = try await person.recover(change, person.claim(), credential)
      for device in [person, other] {
        await #expect(throws: StoreError.unauthorized) { try await device.vault() }
      }
      let account = try #require(try await store.account(named: person.account.nameKey))
      #expect(account.credential == credential)
      #expect(account.credentialVersion == person.credentialVersion + 1)
      let joined = try await person.otherDevice()
      let keyring = try await joined.keyring()
      #expect(outcome == .stored(keyring.tag, seq: 3))
      #expect(keyring.keys.recovery == change.recovery)
      let vault = try await joined.vault()
      #expect(vault.epoch == 2 && vault.head.blob == change.commit?.head)
      try await joined.expectClean()
    },
    Fact("a recovery is repeated safely, and its nonce is good for no other request") { store in
      let person = try await Person(store)
      let change = try await person.rotation()
      let proof = try await person.claim()
      let credential = Credential.random()
      let outcome = try await person.recover(change, proof, credential)
      #expect(try await person.recover(change, proof, credential) == outcome)
      let joined = try await person.otherDevice()
      // Also when the vault has gone on since.
      try await joined.write(.random())
      #expect(try await person.recover(change, proof, credential) == outcome)
      _ = try await joined.vault()
      var other = try await joined.claim(proof.use)
      other.use.request = .random()
      let second = try await joined.rotation()
      await #expect(throws: StoreError.unauthorized) { try await person.recover(second, other) }
      await #expect(throws: StoreError.unauthorized) {
        try await person.deleteVault(.random(joined.vault()), other)
      }
      #expect(try await joined.vault().epoch == 2)
    },
    Fact("another recovery key, a late nonce, or no vault: no recovery") { store in
      let person = try await Person(store)
      let neighbour = try await Person(store)
      let change = try await person.rotation()
      let vault = try await person.vault()
      let good = try await person.claim()
      var foreign = good
      foreign.publicKey = try await neighbour.keyring().keys.recovery.publicKey
      var late = good
      late.use.expiry = start
      var nobody = good
      nobody.use.user = .random()
      for (name, proof) in [("foreign", foreign), ("late", late), ("nobody", nobody)] {
        await #expect(throws: StoreError.unauthorized, "\(name)") {
          try await person.recover(change, proof)
        }
        await #expect(throws: StoreError.unauthorized, "\(name)") {
          try await person.deleteVault(.random(vault), proof)
        }
      }
      #expect(try await person.vault() == vault)
      _ = try await person.deleteVault(.random(vault))
      await #expect(throws: StoreError.unauthorized) { try await person.recover(change, good) }
      await #expect(throws: StoreError.unauthorized) {
        try await person.deleteVault(.random(vault), good)
      }
    },
    Fact("a recovery that leaves what was lost in use is refused") { store in
      let person = try await Person(store)
      let proof = try await person.claim()
      let tag = try await person.keyring().tag
      let routine = KeyringChange.random(.unchanged(tag), commit: nil)
      #expect(try await person.recover(routine, proof) == .refused(.fieldValue("commit")))
      let same = KeyringChange.random(.unchanged(tag), commit: try await person.commit())
      #expect(try await person.recover(same, proof) == .refused(.fieldValue("epoch")))
      var leap = try await person.rotation()
      leap.commit?.epoch = 3
      #expect(try await person.recover(leap, proof) == .refused(.fieldValue("epoch")))
      let kept = try await person.rotation(kit: nil)
      #expect(try await person.recover(kept, proof) == .refused(.fieldValue("recovery_slot")))
      var wrong = try await person.rotation()
      wrong.keyring = .blob(611)
      #expect(
        try await person.recover(wrong, proof) == .refused(.fieldSize("keyring", bytes: 611)))
      #expect(try await person.keyring().tag == tag)
      // None of it used the nonce up.
      let outcome = try await person.recover(person.rotation(), proof)
      guard case .stored = outcome else {
        Issue.record("\(outcome)")
        return
      }
    },
    Fact("a recovery on older keys or an older head conflicts, and keeps its nonce") { store in
      let person = try await Person(store)
      let proof = try await person.claim()
      let first = try await person.rotation()
      try await person.write(.random())
      let (tag, vault) = try await (person.keyring().tag, person.vault())
      #expect(try await person.recover(first, proof) == .conflict(tag, vault))
      var stale = try await person.rotation()
      stale.condition = .unchanged(.random())
      #expect(try await person.recover(stale, proof) == .conflict(tag, vault))
      var old = DeletionRequest.random(vault)
      old.head = .of(person.account.head)
      #expect(try await person.deleteVault(old, proof) == .conflict(vault))
      #expect(try await store.recovery(proof.use).nonce == .unused)
    },
    Fact("of recoveries at once one is made") { store in
      let person = try await Person(store)
      var attempts: [(KeyringChange, RecoveryClaim)] = []
      for _ in 0..<8 {
        attempts.append((try await person.rotation(), try await person.claim()))
      }
      let stored = try await withThrowingTaskGroup { group in
        for (change, proof) in attempts {
          group.addTask {
            do {
              guard case .stored = try await person.recover(change, proof) else { return 0 }
              return 1
            } catch StoreError.unauthorized { return 0 }
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(stored == 1)
      let joined = try await person.otherDevice()
      #expect(try await joined.vault().head.seq == 2)
      try await joined.expectClean()
    },
    Fact("a new beginning is made by a recovery proof too") { store in
      let person = try await Person(store, generation: 4)
      let record = RecordID.random()
      try await person.write(.random(record))
      let head = try await person.vault().head
      let commit = Commit(
        id: .random(), baseSeq: 0, generation: 9, epoch: 1, revisions: [], head: .blob())
      let condition = KeyringChange.Condition.newBeginning(
        try await person.keyring().tag, head: head.hash)
      var change = KeyringChange.random(condition, kit: nil, commit: commit)
      let proof = try await person.claim()
      change.commit?.epoch = 2
      #expect(try await person.recover(change, proof) == .refused(.fieldValue("recovery_slot")))
      change.commit?.epoch = 1
      let outcome = try await person.recover(change, proof)
      let joined = try await person.otherDevice()
      #expect(outcome == .stored(try await joined.keyring().tag, seq: 1))
      #expect(try await joined.vault().generation == 9)
      #expect(try await joined.everything().keys.contains(record))
      try await joined.expectClean()
    },
    Fact("a recovery proof deletes, and gets its receipt again") { store in
      let person = try await Person(store)
      try await person.write(.random())
      let request = try await DeletionRequest.random(person.vault())
      let proof = try await person.claim()
      let first = try await person.deleteVault(request, proof)
      let deletion = try #require(try await person.deletion())
      #expect(first == .deleted(receipt: deletion.receipt))
      #expect(deletion.certificates == request.certificates)
      #expect(try await person.deleteVault(request, proof) == first)
      // No session did it: none gets the receipt as the one that deleted.
      await #expect(throws: StoreError.gone(deletion)) { try await person.deleteVault(request) }
      let joined = try await person.otherDevice()
      #expect(try await joined.deletion() == deletion)
    },
    Fact("a recovery proof deletes the account, and gets its receipt again") { store in
      let person = try await Person(store)
      let request = try await DeletionRequest.random(person.vault(), withAccount: true)
      let proof = try await person.claim()
      let first = try await person.deleteVault(request, proof)
      #expect(try await store.account(named: person.account.nameKey) == nil)
      #expect(try await person.deleteVault(request, proof) == first)
      #expect(try await person.deletion()?.certificates == request.certificates)
    },
  ]
}
