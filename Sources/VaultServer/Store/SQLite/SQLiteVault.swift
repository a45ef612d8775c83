// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VaultProtocol

/// A vault's row with its newest head.
struct VaultRow: Sendable {
  var user: UserID
  var state: VaultState

  /// The user's vault; nothing when it is deleted.
  static func fetch(_ user: UserID, _ policy: StorePolicy, in db: Database) throws -> VaultRow? {
    guard
      let row = try db.row(
        """
        SELECT v.generation, v.epoch, v.seq, v.record_count, v.bytes, v.history_bytes,
          a.quota_bytes, a.quota_records, c.head, c.head_hash, a.start_over_session,
          a.start_over_at
        FROM vaults v
        JOIN accounts a ON a.user_id = v.user_id
        JOIN commits c ON c.user_id = v.user_id AND c.seq = v.seq
        WHERE v.user_id = ?
        """, [user])
    else { return nil }
    let head = Head(seq: try row.value(2), blob: try row.value(8), hash: try row.value(9))
    let wish = try row.optional(10, as: SessionID.self).map {
      StartOver(session: $0, requestedAt: try row.value(11))
    }
    return VaultRow(
      user: user,
      state: VaultState(
        generation: try row.value(0), epoch: try row.value(1), head: head,
        recordCount: try row.value(3), bytes: try row.value(4), historyBytes: try row.value(5),
        quotaBytes: try row.optional(6) ?? policy.quotaBytes,
        quotaRecords: try row.optional(7) ?? policy.quotaRecords, startOver: wish))
  }

  /// The user's vault.
  ///
  /// - Throws: ``StoreError/gone(_:)`` when it is deleted.
  static func present(_ user: UserID, _ policy: StorePolicy, in db: Database) throws -> VaultRow {
    if let vault = try fetch(user, policy, in: db) { return vault }
    throw StoreError.gone(try Deletion.last(of: user, in: db))
  }

  /// Writes a new vault of no records with its keys and first head.
  static func begin(
    _ user: UserID, keys: KeyMaterial, first: Commit, hash: RequestHash, in db: Database
  ) throws {
    try db.run(
      """
      INSERT INTO vaults (user_id, generation, epoch, seq, record_count, bytes, history_bytes)
      VALUES (?, ?, ?, 1, 0, 0, 0)
      """, [user, first.generation, first.epoch])
    try keys.insert(for: user, in: db)
    try insert(first, hash: hash, seq: 1, for: user, in: db)
  }

  /// Writes a commit's row with its head; `hash` is that of the request that brought it.
  static func insert(
    _ commit: Commit, hash: RequestHash, seq: UInt64, for user: UserID, in db: Database
  ) throws {
    try db.run(
      """
      INSERT INTO commits (user_id, seq, commit_id, body_hash, head_hash, head)
      VALUES (?, ?, ?, ?, ?, ?)
      """,
      [
        user, seq, commit.id, hash, BlobHash(of: commit.head), commit.head,
      ])
  }

  /// The seq that a commit of this id was accepted with, and whether it came with an equal request.
  static func known(
    _ commit: CommitID, hash: RequestHash, of user: UserID, in db: Database
  ) throws -> (seq: UInt64, isEqual: Bool)? {
    guard
      let row = try db.row(
        "SELECT seq, body_hash FROM commits WHERE user_id = ? AND commit_id = ?",
        [user, commit])
    else { return nil }
    return (try row.value(0), try row.value(1) == hash)
  }
}

extension Keyring {
  /// The keyring of a vault that is there.
  static func fetch(_ user: UserID, in db: Database) throws -> Keyring {
    guard
      let row = try db.row(
        """
        SELECT password_slot, recovery_slot, recovery_public_key, keyring, tag
        FROM keyrings WHERE user_id = ?
        """, [user])
    else { throw StoreError.damaged("a vault has no keyring") }
    let kit = RecoveryKit(slot: try row.value(1), publicKey: try row.value(2))
    return Keyring(
      keys: KeyMaterial(passwordSlot: try row.value(0), recovery: kit, keyring: try row.value(3)),
      tag: try row.value(4))
  }
}

extension KeyMaterial {
  /// Writes the keys of a vault, new or again.
  func insert(for user: UserID, in db: Database) throws {
    try db.run(
      """
      INSERT OR REPLACE INTO keyrings
        (user_id, password_slot, recovery_slot, recovery_public_key, keyring, tag)
      VALUES (?, ?, ?, ?, ?, ?)
      """, [user, passwordSlot, recovery.slot, recovery.publicKey, keyring, tag])
  }
}

extension SQLiteStore {
  /// Where the vault stands.
  public func vault(caller: Caller, now: Timestamp) async throws(StoreError) -> VaultState {
    let policy = policy
    return try await read(as: caller, now: now) { db, row in
      try VaultRow.present(row.user, policy, in: db).state
    }
  }

  /// Slots, keyring and recovery public key, and where the vault stands with them.
  public func keyring(
    caller: Caller, now: Timestamp
  ) async throws(StoreError) -> (Keyring, VaultState) {
    let policy = policy
    return try await read(as: caller, now: now) { db, row in
      let vault = try VaultRow.present(row.user, policy, in: db)
      return (try Keyring.fetch(row.user, in: db), vault.state)
    }
  }
}
