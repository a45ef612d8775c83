// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VaultProtocol
import VaultServer

extension Person {
  /// Resets the account as an operator; what was counted.
  fileprivate func reset() async throws -> DeletionSummary? {
    let summary = Mutex<DeletionSummary?>(nil)
    let user = try await store.resetAccount(
      named: account.nameKey, certificateHash: .random(), now: start
    ) { counted in
      summary.withLock { $0 = counted }
      return .random(200)
    }
    #expect(user == self.user)
    return summary.withLock { $0 }
  }
}

extension Fact {
  static let reset = [
    Fact("a reset deletes the account, and its devices see whose act it was") { store in
      let person = try await Person(store)
      let neighbour = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record))
      try await person.write(.random(record, 2))
      let summary = try #require(try await person.reset())
      #expect(summary.records == 1 && summary.revisions == 1 && summary.sessions == 1)
      #expect(summary.lastSeq == 3 && summary.withAccount)
      let deletion = try #require(try await person.deletion())
      #expect(deletion.certificates.isEmpty)
      #expect(deletion.certificateHash == summary.certificateHash)
      #expect(try await store.account(named: person.account.nameKey) == nil)
      await #expect(throws: StoreError.gone(deletion)) {
        try await person.deleteVault(.random(neighbour.vault()))
      }
      let end = start + .seconds(90 * 86_400)
      await #expect(throws: StoreError.unauthorized) { try await person.vault(now: end) }
      #expect(try await neighbour.vault().head.seq == 1)
    },
    Fact("after a reset the name takes another account, of any id but no older generation") {
      store in
      let person = try await Person(store, generation: 2)
      _ = try await person.reset()
      #expect(
        try await store.createAccount(person.account, now: start) == .generationUsed(last: 2))
      var fresh = NewAccount.random()
      fresh.nameKey = person.account.nameKey
      #expect(try await store.createAccount(fresh, now: start) == .created)
      let joined = try await Person(store, loggingInto: fresh)
      #expect(try await joined.everything().isEmpty)
      #expect(try await person.deletion() != nil)
      try await joined.expectClean()
    },
    Fact("a reset of an account without a vault leaves the owner's certificates") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let request = try await DeletionRequest.random(person.vault())
      let first = try await person.deleteVault(request)
      #expect(try await person.reset() == nil)
      #expect(try await other.deletion()?.certificates == request.certificates)
      // The session that deleted still gets its receipt.
      #expect(try await person.deleteVault(request) == first)
      #expect(try await store.account(named: person.account.nameKey) == nil)
    },
    Fact("a reset of a name that there is not does nothing") { store async throws in
      let user = try await store.resetAccount(
        named: .random(), certificateHash: .random(), now: start
      ) { _ in .random(9) }
      #expect(user == nil)
    },
  ]
}
