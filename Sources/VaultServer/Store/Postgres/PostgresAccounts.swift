// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
public import VaultProtocol

extension PostgresStore {
  /// Creates an account, or nothing.
  public func createAccount(
    _ account: NewAccount, now: Timestamp
  ) async throws(StoreError) -> AccountOutcome {
    if let fault = account.fault { return .refused(fault) }
    var attempts = 3
    while true {
      do throws(StoreError) {
        return try await tryToCreate(account, now: now)
      } catch {
        // 23505, a unique key: another request with the name or the id was first. Look again.
        attempts -= 1
        guard attempts > 0, error == .unavailable(.other(code: "23505")) else { throw error }
      }
    }
  }

  private func tryToCreate(
    _ account: NewAccount, now: Timestamp
  ) async throws(StoreError) -> AccountOutcome {
    let reading = [
      Statement(
        "SELECT name_key, registration_hash FROM accounts WHERE user_id = $1::uuid",
        [.id(account.user)]),
      Statement("SELECT 1 FROM names WHERE name_key = $1::bytea", [.hash(account.nameKey)]),
      Statement(
        "SELECT max(generation) FROM deletions WHERE user_id = $1::uuid", [.id(account.user)]),
    ]
    return try await transaction(of: account.user, reading) { (rows) throws(StoreError) in
      if let row = rows[0].first {
        var columns = Columns(row)
        let name: NameKey = try columns.hash()
        let registration: RequestHash = try columns.hash()
        let isRepeat = name == account.nameKey && registration == account.registrationHash
        return (isRepeat ? .created : .taken, [])
      }
      guard rows[1].isEmpty else { return (.taken, []) }
      if let row = rows[2].first {
        var columns = Columns(row)
        if !columns.skipNull() {
          let last: UInt32 = try columns.number()
          if account.generation <= last { return (.generationUsed(last: last), []) }
        }
      }
      let first = Commit(
        id: account.commitID, baseSeq: 0, generation: account.generation, epoch: account.epoch,
        revisions: [], head: account.head)
      return (
        .created,
        account.insert(now: now)
          + Statement.begin(
            account.user, keys: account.keys, first: first, hash: account.registrationHash)
      )
    }
  }

  /// The account of a name.
  public func account(named name: NameKey) async throws(StoreError) -> Account? {
    let results = try await exchange([
      Statement(
        """
        SELECT set_config('vault.user', coalesce(
          (SELECT user_id::text FROM names WHERE name_key = $1::bytea), ''), true)
        """, [.hash(name)], name: "enter_by_name"),
      Statement(
        """
        SELECT \(Account.columns) FROM names n JOIN accounts a ON a.user_id = n.user_id
        WHERE n.name_key = $1::bytea
        """, [.hash(name)], name: "account_by_name"),
    ])
    return try Account(results[1])
  }
}

extension Account {
  fileprivate static let columns =
    "a.user_id, a.secrets_version::bigint, a.profile::bigint, a.opaque_record, "
    + "a.registration_hash, a.credential_version"

  fileprivate init?(_ rows: Rows) throws(StoreError) {
    guard let row = rows.first else { return nil }
    var columns = Columns(row)
    let user: UserID = try columns.id()
    let credential = Credential(
      secretsVersion: try columns.number(), profile: try columns.number(),
      record: try columns.data())
    self.init(
      user: user, credential: credential, registrationHash: try columns.hash(),
      credentialVersion: try columns.number())
  }
}

extension NewAccount {
  fileprivate func insert(now: Timestamp) -> [Statement] {
    [
      Statement(
        "INSERT INTO names (name_key, user_id) VALUES ($1::bytea, $2::uuid)",
        [.hash(nameKey), .id(user)]),
      Statement(
        """
        INSERT INTO accounts (user_id, name_key, registration_hash, secrets_version, profile,
          opaque_record, credential_version, created_at)
        VALUES ($1::uuid, $2::bytea, $3::bytea, $4::bigint, $5::bigint, $6::bytea, $7::bigint,
          $8::bigint)
        """,
        [
          .id(user), .hash(nameKey), .hash(registrationHash),
          .number(credential.secretsVersion), .number(credential.profile),
          .bytes(credential.record), .number(NewAccount.firstVersion()), .time(now),
        ]),
    ]
  }
}

extension Statement {
  /// Writes a new vault of no records, with its keys and its first head.
  static func begin(
    _ user: UserID, keys: KeyMaterial, first: Commit, hash: RequestHash
  ) -> [Statement] {
    [
      Statement(
        """
        INSERT INTO vaults (user_id, generation, epoch, seq, record_count, bytes, history_bytes)
        VALUES ($1::uuid, $2::bigint, $3::bigint, 1, 0, 0, 0)
        """, [.id(user), .number(first.generation), .number(first.epoch)]),
      keys.store(for: user),
      insert(first, hash: hash, seq: 1, for: user),
    ]
  }

  /// Writes a commit's row with its head; `hash` is that of the request that brought it.
  static func insert(
    _ commit: Commit, hash: RequestHash, seq: UInt64, for user: UserID
  ) -> Statement {
    Statement(
      """
      INSERT INTO commits (user_id, seq, commit_id, body_hash, head_hash, head)
      VALUES ($1::uuid, $2::bigint, $3::uuid, $4::bytea, $5::bytea, $6::bytea)
      """,
      [
        .id(user), .number(seq), .id(commit.id), .hash(hash), .hash(BlobHash(of: commit.head)),
        .bytes(commit.head),
      ])
  }
}
