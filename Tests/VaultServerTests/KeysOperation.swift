// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol

@testable import StoreConformance
@testable import VaultServer

/// A change of keys that a crash may meet: prepared once, so that it can be sent again unchanged.
struct KeysOperation: Sendable, CustomTestStringConvertible {
  /// What the change was answered with.
  enum Answer: Equatable, Sendable {
    case keys(KeyringOutcome)
    case deletion(DeletionOutcome)
  }

  typealias Request = @Sendable (any VaultStore) async throws -> Answer

  let testDescription: String
  /// Makes ready what the change needs, and gives its request.
  let prepare: @Sendable (Person) async throws -> Request

  static let all = [
    KeysOperation("a password change") { person in
      let change = KeyringChange.random(
        .unchanged(try await person.keyring().tag), kit: nil, commit: nil)
      return keys(person, change)
    },
    KeysOperation("a rotation") { person in keys(person, try await person.rotation()) },
    KeysOperation("a new beginning") { person in
      keys(person, try await newBeginning(person))
    },
    KeysOperation("a recovery") { person in
      proved(try await person.rotation(), try await person.claim())
    },
    KeysOperation("a new beginning with the kit") { person in
      proved(try await newBeginning(person), try await person.claim())
    },
    KeysOperation("a start-over") { person in
      _ = try await person.startOver()
      return keys(
        person, try await person.rotation(), now: start + .seconds(Limits.startOverSeconds))
    },
    KeysOperation("a deletion with the kit") { person in
      let (request, proof) = try await (
        DeletionRequest.random(person.vault(), withAccount: true), person.claim()
      )
      return { store in
        .deletion(
          try await store.deleteVault(request, proof: proof, now: start) { _ in Data([7]) })
      }
    },
  ]

  private init(
    _ name: String, _ prepare: @escaping @Sendable (Person) async throws -> Request
  ) {
    testDescription = name
    self.prepare = prepare
  }

  private static func newBeginning(_ person: Person) async throws -> KeyringChange {
    let vault = try await person.vault()
    return .random(
      .newBeginning(try await person.keyring().tag, head: vault.head.hash),
      commit: Commit(
        id: .random(), baseSeq: 0, generation: vault.generation + 1, epoch: vault.epoch,
        revisions: [], head: .blob()))
  }

  /// The change in the person's session, fresh at `start` alone.
  private static func keys(_ person: Person, _ change: KeyringChange, now: Timestamp = start)
    -> Request
  {
    let (credential, caller) = (Credential.random(), person.caller)
    return { store in
      .keys(
        try await store.putCredential(
          credential, change, caller: caller, freshAfter: now - .seconds(300), now: now))
    }
  }

  private static func proved(_ change: KeyringChange, _ proof: RecoveryClaim) -> Request {
    let credential = Credential.random()
    return { store in
      .keys(try await store.putCredential(credential, change, proof: proof, now: start))
    }
  }
}

/// What opens an account and its vault: exactly one of old or new at any time.
struct KeysState: Equatable {
  var account: Account?
  var vault: VaultState?
  var keyring: Keyring?

  init(of account: NewAccount, in store: any VaultStore) async throws {
    self.account = try await store.account(named: account.nameKey)
    let standing = try await store.recovery(.random(of: account.user))
    vault = standing.vault
    keyring = standing.keyring
  }
}
