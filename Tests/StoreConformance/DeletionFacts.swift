// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VaultProtocol
import VaultServer

extension DeletionRequest {
  /// A deletion of the vault as it is, with two certificates.
  static func random(_ vault: VaultState, withAccount: Bool = false) -> DeletionRequest {
    DeletionRequest(
      generation: vault.generation, head: vault.head.hash,
      certificates: [Certificate(epoch: 1, blob: .blob()), Certificate(epoch: 0, blob: .blob())],
      certificateHash: .random(), withAccount: withAccount)
  }
}

extension Person {
  /// Deletes with a receipt of random bytes.
  func deleteVault(
    _ request: DeletionRequest, freshAfter: Timestamp = start, now: Timestamp = start
  )
    async throws -> DeletionOutcome
  {
    try await store.deleteVault(request, caller: caller, freshAfter: freshAfter, now: now) { _ in
      .random(200)
    }
  }

  /// Deletes; what was counted, or nothing where the store did not delete.
  func delete(_ request: DeletionRequest) async throws -> DeletionSummary? {
    let summary = Mutex<DeletionSummary?>(nil)
    let outcome = try await store.deleteVault(
      request, caller: caller, freshAfter: start, now: start
    ) { counted in
      summary.withLock { $0 = counted }
      return .random(200)
    }
    guard case .deleted = outcome else { return nil }
    return summary.withLock { $0 }
  }

  /// The error that asking for the vault throws.
  func deletion(now: Timestamp = start) async throws -> Deletion? {
    do {
      _ = try await store.vault(caller: caller, now: now)
      return nil
    } catch StoreError.gone(let deletion) {
      return deletion
    }
  }

  /// Begins a new copy after `deletion`.
  func begin(after deletion: Deletion, generation: UInt32, epoch: UInt32) async throws
    -> KeyringOutcome
  {
    let commit = Commit(
      id: .random(), baseSeq: 0, generation: generation, epoch: epoch, revisions: [],
      head: .blob())
    return try await putKeyring(
      .random(.afterDeletion(deletion.certificateHash), commit: commit))
  }
}

extension Fact {
  static let deletion = [
    Fact("a deletion takes everything and counts it") { store in
      let person = try await Person(store, generation: 2)
      let other = try await person.otherDevice()
      let record = RecordID.random()
      try await person.write(.random(record), .random())
      try await person.write(.random(record, 2, bytes: 700))
      let request = try await DeletionRequest.random(person.vault())
      let summary = try await person.delete(request)
      #expect(
        summary
          == DeletionSummary(
            user: person.user, generation: 2, lastSeq: 3, at: start,
            certificateHash: request.certificateHash, records: 2, revisions: 1,
            bytes: 2 * 612 + 700, commits: 3, keyrings: 1, sessions: 1, withAccount: false))
      let left = try #require(try await other.deletion())
      #expect(left.generation == 2)
      #expect(left.lastSeq == 3)
      #expect(left.certificates == request.certificates)
      #expect(left.certificateHash == request.certificateHash)
      let size = try await store.users(after: nil, limit: .max, now: start)
        .first { $0.user == person.user }
      #expect(size?.hasVault == false)
      #expect(size?.recordCount == 0)
      #expect(size?.sessions == 1)
      try await person.expectClean()
    },
    Fact("a deletion of another head, generation or login deletes nothing") { store in
      let person = try await Person(store, generation: 2)
      try await person.write(.random())
      let vault = try await person.vault()
      var request = DeletionRequest.random(vault)
      request.head = .of(person.account.head)
      #expect(try await person.deleteVault(request) == .conflict(vault))
      request = .random(vault)
      request.generation = 1
      #expect(try await person.deleteVault(request) == .conflict(vault))
      request = .random(vault)
      await #expect(throws: StoreError.notFresh) {
        try await person.deleteVault(request, freshAfter: start + .milliseconds(1))
      }
      request.certificates = []
      #expect(
        try await person.deleteVault(request) == .refused(.fieldSize("certificates", bytes: 0)))
      request.certificates = [Certificate(epoch: 1, blob: .blob(611))]
      #expect(
        try await person.deleteVault(request) == .refused(.fieldSize("certificate", bytes: 611)))
      #expect(try await person.vault() == vault)
      #expect(try await person.everything().count == 1)
    },
    Fact("a repeated deletion gets the same receipt") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let request = try await DeletionRequest.random(person.vault())
      let first = try await person.deleteVault(request)
      #expect(try await person.deleteVault(request) == first)
      let late = start + .seconds(9)
      #expect(try await person.deleteVault(request, freshAfter: late, now: late) == first)
      let gone = try #require(try await other.deletion())
      #expect(first == .deleted(receipt: gone.receipt))
      await #expect(throws: StoreError.gone(gone)) { try await other.deleteVault(request) }
    },
    Fact("a session from before a deletion gets the certificate, whatever it asks") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let commit = try await person.commit([.random()])
      let keyring = try await person.keyring()
      let request = try await DeletionRequest.random(person.vault())
      _ = try await person.deleteVault(request)
      let gone = StoreError.gone(try #require(try await other.deletion()))
      let calls = everyCall(
        caller: other.caller, record: .random(), session: other.caller.session, commit: commit,
        change: .random(.unchanged(keyring.tag), commit: commit), deletion: request)
      for (name, call) in calls {
        await #expect(throws: gone, "\(name)") { try await call(store) }
      }
    },
    Fact("the deleting session and a new login have no vault, but their sessions") { store in
      let person = try await Person(store)
      let request = try await DeletionRequest.random(person.vault())
      _ = try await person.deleteVault(request)
      let caller = Caller(user: person.user, session: .random(), tokenHash: .random())
      let outcome = try await store.createSession(
        NewSession(caller: caller, credentialVersion: person.credentialVersion), now: start)
      guard case .openedWithoutVault(let session, let deletion) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(session.id == caller.session)
      #expect(deletion == (try await person.deletion()))
      #expect(try await store.sessions(caller: person.caller, now: start).count == 2)
      await #expect(throws: StoreError.gone(deletion)) {
        try await store.changes(
          FeedRequest(cursor: nil, headsFrom: nil, limit: 1, rowsOnly: false), caller: caller,
          now: start)
      }
    },
    Fact("labels go with the vault whose key they are sealed under") { store in
      let person = try await Person(store)
      let id = person.caller.session
      _ = try await store.setLabel(.blob(), of: id, caller: person.caller, now: start)
      _ = try await person.deleteVault(.random(person.vault()))
      #expect(try await store.session(caller: person.caller, now: start).label == nil)
    },
    Fact("a copy is begun after a deletion only on its certificate, higher, with a kit") { store in
      let person = try await Person(store, generation: 3, epoch: 3)
      try await person.write(.random())
      let vault = try await person.vault()
      let early = Deletion(
        generation: 3, lastSeq: 2, at: start, certificates: [], certificateHash: .random(),
        receipt: Data())
      let tag = try await person.keyring().tag
      #expect(
        try await person.begin(after: early, generation: 4, epoch: 4) == .conflict(tag, vault))
      _ = try await person.deleteVault(.random(vault))
      let deletion = try #require(try await person.deletion())
      #expect(
        try await person.begin(after: early, generation: 4, epoch: 4) == .deleted(deletion))
      #expect(
        try await person.begin(after: deletion, generation: 3, epoch: 4)
          == .refused(.fieldValue("generation")))
      #expect(
        try await person.begin(after: deletion, generation: 4, epoch: 3)
          == .refused(.fieldValue("epoch")))
      let commit = Commit(
        id: .random(), baseSeq: 0, generation: 4, epoch: 4, revisions: [], head: .blob())
      var change = KeyringChange.random(
        .afterDeletion(deletion.certificateHash), kit: nil, commit: commit)
      #expect(try await person.putKeyring(change) == .refused(.fieldValue("recovery_slot")))
      change.recovery = .random()
      let outcome = try await person.putKeyring(change)
      #expect(outcome == .stored(try await person.keyring().tag, seq: 1))
      #expect(try await person.putKeyring(change) == outcome)
      #expect(try await person.vault().generation == 4)
      #expect(try await person.everything().isEmpty)
      #expect(try await person.write(.random()) == 2)
      try await person.expectClean()
    },
    Fact("a session from before a deletion stays outside the copy begun after it") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      _ = try await person.deleteVault(.random(person.vault()))
      let deletion = try #require(try await other.deletion())
      _ = try await person.begin(after: deletion, generation: 2, epoch: 2)
      try await person.write(.random())
      #expect(try await other.deletion() == deletion)
      // Years later too, as long as the account is there.
      let late = start + .seconds(20 * 365 * 86_400)
      try await store.sweep(now: start + .seconds(60 * 86_400))
      #expect(try await other.deletion(now: late) == deletion)
      let joined = try await other.otherDevice()
      #expect(try await joined.everything().count == 1)
      // A second deletion leaves each session its own certificate.
      _ = try await person.deleteVault(.random(person.vault()))
      #expect(try await joined.deletion()?.generation == 2)
      #expect(try await other.deletion() == deletion)
    },
    Fact(
      "certificates of deletions long past go, with the sessions from before them",
      policy: policy { $0.deletionCount = 2 }
    ) { store in
      let person = try await Person(store)
      var others: [Person] = []
      for generation: UInt32 in 1...3 {
        others.append(try await person.otherDevice())
        _ = try await person.deleteVault(.random(person.vault()))
        let deletion = try #require(try await person.deletion())
        _ = try await person.begin(
          after: deletion, generation: generation + 1, epoch: generation + 1)
      }
      await #expect(throws: StoreError.unauthorized) { try await others[0].vault() }
      #expect(try await others[1].deletion()?.generation == 2)
      #expect(try await others[2].deletion()?.generation == 3)
      try await person.expectClean()
    },
    Fact("with the account, name and login go, and the certificate stays 90 days") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let request = try await DeletionRequest.random(person.vault(), withAccount: true)
      let outcome = try await person.deleteVault(request)
      #expect(try await store.account(named: person.account.nameKey) == nil)
      #expect(try await person.deleteVault(request) == outcome)
      let left = try #require(try await other.deletion())
      #expect(left.certificates == request.certificates)
      let late = NewSession(
        caller: Caller(user: person.user, session: .random(), tokenHash: .random()),
        credentialVersion: person.credentialVersion)
      #expect(try await store.createSession(late, now: start) == .stale)
      // The name is free for somebody else.
      var next = NewAccount.random()
      next.nameKey = person.account.nameKey
      #expect(try await store.createAccount(next, now: start) == .created)
      let end = start + .seconds(90 * 86_400)
      #expect(try await other.deletion(now: end - .milliseconds(1)) == left)
      await #expect(throws: StoreError.unauthorized) { try await other.vault(now: end) }
      await #expect(throws: StoreError.unauthorized) {
        try await person.deleteVault(request, now: end)
      }
    },
    Fact("the account can go after its vault, on a fresh login") { store in
      let person = try await Person(store)
      let first = try await person.deleteVault(.random(person.vault()))
      let deletion = try #require(try await person.deletion())
      var request = DeletionRequest(
        generation: 1, head: .random(), certificates: [], certificateHash: .random(),
        withAccount: true)
      await #expect(throws: StoreError.notFresh) {
        try await person.deleteVault(request, freshAfter: start + .seconds(1))
      }
      let joined = try await person.otherDevice()
      #expect(try await joined.deleteVault(request) == first)
      #expect(try await store.account(named: person.account.nameKey) == nil)
      request.withAccount = false
      #expect(try await joined.deleteVault(request) == first)
      #expect(try await person.deletion() == deletion)
    },
    Fact("an id that was deleted with its account begins again only higher") { store in
      let person = try await Person(store, generation: 2)
      let other = try await person.otherDevice()
      let request = try await DeletionRequest.random(person.vault(), withAccount: true)
      _ = try await person.deleteVault(request)
      // A late repeat of the registration does not bring the account back.
      #expect(
        try await store.createAccount(person.account, now: start) == .generationUsed(last: 2))
      var again = person.account
      again.generation = 3
      again.epoch = 2
      again.registrationHash = .random()
      #expect(try await store.createAccount(again, now: start) == .created)
      let joined = try await Person(store, loggingInto: again)
      #expect(try await joined.vault().generation == 3)
      #expect(try await other.deletion()?.generation == 2)
      try await joined.expectClean()
    },
  ]
}
