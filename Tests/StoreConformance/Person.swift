// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

/// When everything begins; the store reads no clock.
let start = Timestamp(milliseconds: 1_800_000_000_000)

/// Somebody with an account, a vault and one session, all of random ids.
struct Person: Sendable {
  let store: any VaultStore
  let account: NewAccount
  let caller: Caller
  let credentialVersion: UInt64

  var user: UserID { account.user }

  /// A new account with a session, at `start`.
  init(_ store: any VaultStore, generation: UInt32 = 1, epoch: UInt32 = 1) async throws {
    let account = NewAccount.random(generation: generation, epoch: epoch)
    #expect(try await store.createAccount(account, now: start) == .created)
    try await self.init(store, loggingInto: account)
  }

  /// A further session of an account.
  init(_ store: any VaultStore, loggingInto account: NewAccount, now: Timestamp = start)
    async throws
  {
    self.store = store
    self.account = account
    caller = Caller(user: account.user, session: .random(), tokenHash: .random())
    credentialVersion = try await store.credentialVersion(of: account)
    #expect(try await store.createSession(login, now: now) != .stale)
  }

  /// The login that made the session.
  var login: NewSession { NewSession(caller: caller, credentialVersion: credentialVersion) }

  /// The same account on a further device.
  func otherDevice(now: Timestamp = start) async throws -> Person {
    try await Person(store, loggingInto: account, now: now)
  }

  func vault(now: Timestamp = start) async throws -> VaultState {
    try await store.vault(caller: caller, now: now)
  }

  func keyring(now: Timestamp = start) async throws -> Keyring {
    try await store.keyring(caller: caller, now: now).0
  }

  /// A commit on the present head.
  func commit(_ revisions: [Revision] = []) async throws -> Commit {
    let vault = try await vault()
    return Commit(
      id: .random(), baseSeq: vault.head.seq, generation: vault.generation, epoch: vault.epoch,
      revisions: revisions, head: .blob())
  }

  @discardableResult
  func apply(_ commit: Commit, now: Timestamp = start) async throws -> CommitOutcome {
    try await store.apply(commit, caller: caller, now: now)
  }

  /// Writes the revisions on the present head.
  @discardableResult
  func write(_ revisions: Revision..., now: Timestamp = start) async throws -> UInt64 {
    let commit = try await commit(revisions)
    #expect(try await apply(commit, now: now) == .accepted(seq: commit.baseSeq + 1))
    return commit.baseSeq + 1
  }

  func changes(
    _ cursor: FeedCursor? = nil, headsFrom: UInt64? = nil, limit: Int = 4 << 20,
    rowsOnly: Bool = false
  ) async throws -> FeedPage {
    try await store.changes(
      FeedRequest(cursor: cursor, headsFrom: headsFrom, limit: limit, rowsOnly: rowsOnly),
      caller: caller, now: start)
  }

  /// What the feed gives from the start to the end.
  func everything() async throws -> [RecordID: FeedRow] {
    var rows: [RecordID: FeedRow] = [:]
    var page = try await changes()
    for row in page.rows { rows[row.record] = row }
    while page.hasMore {
      page = try await changes(page.cursor)
      for row in page.rows { rows[row.record] = row }
    }
    return rows
  }

  /// The checker has nothing to say of this user.
  func expectClean(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let faults = try await store.check().faults.filter { $0.user == nil || $0.user == user }
    #expect(faults == [], sourceLocation: sourceLocation)
  }
}

extension VaultStore {
  /// The version that a login to the account begins under.
  func credentialVersion(of account: NewAccount) async throws -> UInt64 {
    let found = try await self.account(named: account.nameKey)
    return try #require(found).credentialVersion
  }
}

extension NewAccount {
  /// An account nobody has.
  static func random(generation: UInt32 = 1, epoch: UInt32 = 1) -> NewAccount {
    NewAccount(
      user: .random(), nameKey: .random(), registrationHash: .random(), credential: .random(),
      keys: .random(), generation: generation, epoch: epoch, commitID: .random(), head: .blob())
  }
}

extension Credential {
  static func random() -> Credential {
    Credential(secretsVersion: 1, profile: 2, record: .random(192))
  }
}

extension KeyMaterial {
  static func random() -> KeyMaterial {
    KeyMaterial(passwordSlot: .blob(), recovery: .random(), keyring: .blob())
  }
}

extension RecoveryKit {
  static func random() -> RecoveryKit { RecoveryKit(slot: .blob(), publicKey: .random(32)) }
}

extension Revision {
  /// A revision with a random blob and its true hash.
  static func random(_ record: RecordID = .random(), _ number: UInt64 = 1, bytes: Int = 612)
    -> Revision
  {
    Revision(record, number, .blob(bytes))
  }

  /// A revision with the true hash of `blob`.
  init(_ record: RecordID, _ number: UInt64, _ blob: Data) {
    self.init(record: record, number: number, blob: blob, hash: .of(blob))
  }

  /// This revision as the feed gives it.
  func row(seq: UInt64) -> FeedRow {
    FeedRow(record: record, revision: number, seq: seq, hash: hash, blob: blob)
  }
}
