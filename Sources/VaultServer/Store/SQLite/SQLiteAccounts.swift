// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
public import VaultProtocol

extension SQLiteStore {
  /// Creates an account, or nothing.
  public func createAccount(_ account: NewAccount, now: Timestamp) async throws(StoreError)
    -> AccountOutcome
  {
    if let fault = account.fault { return .refused(fault) }
    return try await writer.run { db in
      if let known = try Self.knownAccount(account, in: db) { return known }
      let last = try db.row(
        "SELECT generation FROM deletions WHERE user_id = ? ORDER BY generation DESC LIMIT 1",
        [account.user])
      if let last = try last?.value(0, as: UInt32.self), account.generation <= last {
        return .generationUsed(last: last)
      }
      try db.run(
        """
        INSERT INTO accounts (user_id, name_key, registration_hash, secrets_version, profile,
          opaque_record, credential_version, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          account.user, account.nameKey, account.registrationHash,
          account.credential.secretsVersion, account.credential.profile,
          account.credential.record, NewAccount.firstVersion(), now,
        ])
      let first = Commit(
        id: account.commitID, baseSeq: 0, generation: account.generation, epoch: account.epoch,
        revisions: [], head: account.head)
      try VaultRow.begin(
        account.user, keys: account.keys, first: first, hash: account.registrationHash, in: db)
      return .created
    }
  }

  /// The answer for an account that is there already, by id or by name.
  private static func knownAccount(_ account: NewAccount, in db: Database) throws
    -> AccountOutcome?
  {
    if let row = try db.row(
      "SELECT name_key, registration_hash FROM accounts WHERE user_id = ?", [account.user])
    {
      let isRepeat =
        try row.value(0, as: NameKey.self) == account.nameKey
        && row.value(1, as: RequestHash.self) == account.registrationHash
      return isRepeat ? .created : .taken
    }
    let isTaken = try db.row("SELECT 1 FROM accounts WHERE name_key = ?", [account.nameKey]) != nil
    return isTaken ? .taken : nil
  }

  /// The account of a name.
  public func account(named name: NameKey) async throws(StoreError) -> Account? {
    try await read { db in try Account.fetch(name, in: db) }
  }

  /// Removes what has had its time.
  public func sweep(now: Timestamp) async throws(StoreError) {
    try await writer.run { db in
      try db.run("DELETE FROM sessions WHERE expires_at <= ?", [now])
      try db.run("DELETE FROM nonces WHERE expires_at <= ?", [now])
      try db.run("DELETE FROM deletions WHERE expires_at <= ?", [now])
    }
  }

  /// A page of users with their sizes.
  public func users(after user: UserID?, limit: Int, now: Timestamp) async throws(StoreError)
    -> [UserSize]
  {
    try await read { db in
      var sizes: [UserSize] = []
      try db.forEach(
        """
        SELECT a.user_id, a.created_at, v.user_id IS NOT NULL, coalesce(v.record_count, 0),
          coalesce(v.bytes, 0), coalesce(v.history_bytes, 0),
          (SELECT count(*) FROM sessions s WHERE s.user_id = a.user_id
            AND s.ended_generation IS NULL AND s.expires_at > ?)
        FROM accounts a LEFT JOIN vaults v ON v.user_id = a.user_id
        WHERE a.user_id > ? ORDER BY a.user_id LIMIT ?
        """, [now, user.map { Data($0.bytes) } ?? Data([0]), max(0, limit)]
      ) { row in
        sizes.append(
          UserSize(
            user: try row.value(0), createdAt: try row.value(1), hasVault: try row.value(2),
            recordCount: try row.value(3), bytes: try row.value(4),
            historyBytes: try row.value(5), sessions: try row.value(6)))
        return true
      }
      return sizes
    }
  }
}

extension Account {
  fileprivate static func fetch(_ name: NameKey, in db: Database) throws -> Account? {
    guard
      let row = try db.row(
        """
        SELECT user_id, secrets_version, profile, opaque_record, registration_hash,
          credential_version
        FROM accounts WHERE name_key = ?
        """, [name])
    else { return nil }
    return Account(
      user: try row.value(0),
      credential: Credential(
        secretsVersion: try row.value(1), profile: try row.value(2), record: try row.value(3)),
      registrationHash: try row.value(4), credentialVersion: try row.value(5))
  }
}
