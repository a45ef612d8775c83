// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Slots, keyring and recovery public key, and where the vault stands with them.
  public func keyring(
    caller: Caller, now: Timestamp
  ) async throws(StoreError) -> (Keyring, VaultState) {
    let (vault, results) = try await read(
      caller, now: now, inSnapshot: true, [Keyring.statement(caller.user)])
    return (try Keyring(results[0]), vault)
  }

  /// Changes slots and keyring together with a commit of no records.
  public func putKeyring(
    _ change: KeyringChange, caller: Caller, freshAfter: Timestamp, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    try await putKeys(nil, change, caller, freshAfter: freshAfter, now: now)
  }

  /// The same with a new OPAQUE record.
  public func putCredential(
    _ credential: Credential, _ change: KeyringChange, caller: Caller, freshAfter: Timestamp,
    now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    try await putKeys(credential, change, caller, freshAfter: freshAfter, now: now)
  }

  private func putKeys(
    _ credential: Credential?, _ change: KeyringChange, _ caller: Caller, freshAfter: Timestamp,
    now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    let reading = KeysDecision.reading(credential, change, caller.user)
    let outcome = try await write(as: caller, now: now, reading) {
      (standing, rows) throws(StoreError) -> (KeyringOutcome, [Statement]) in
      let ground = standing.ground(credential, freshAfter: freshAfter, now: now)
      if ground != .oldLogin, let fault = change.fault ?? credential?.fault {
        return (.refused(fault), [])
      }
      var decision = try KeysDecision(
        caller.user, kept: caller.session, ground, credential, change, standing.vault, rows)
      let outcome = try decision.make()
      return (outcome, decision.writing)
    }
    if case .stored = outcome { notices.moved(caller.user) }
    return outcome
  }
}

extension PostgresStanding {
  /// On what ground the session may change keys: a fresh login, or its start-over that is due.
  fileprivate func ground(
    _ credential: Credential?, freshAfter: Timestamp, now: Timestamp
  ) -> KeysGround {
    if session.createdAt >= freshAfter { return .freshLogin }
    let isDue = vault?.startOver?.admits(session.id, now: now) == true
    return isDue && credential != nil ? .lostSecret : .oldLogin
  }
}

/// Decides on one change of keys from what was read under the locks.
struct KeysDecision {
  private let user: UserID
  /// The session that outlives new credentials.
  private let kept: SessionID?
  private let ground: KeysGround
  let credential: Credential?
  let change: KeyringChange
  let vault: VaultState?
  let present: Keyring?
  /// The newest deletion; nothing where there never was one.
  let deletion: Deletion?
  let greatestDeletedEpoch: UInt32
  let hash: RequestHash
  /// A commit of the change's id: its seq, and whether it came with this very request.
  let known: (seq: UInt64, isEqual: Bool)?
  let isCredentialPresent: Bool

  /// What makes the answer true.
  var writing: [Statement] = []

  static func reading(
    _ credential: Credential?, _ change: KeyringChange, _ user: UserID
  ) -> [Statement] {
    [
      Keyring.statement(user),
      Deletion.statement(user),
      Statement(
        "SELECT coalesce(max(epoch), 0) FROM deletions WHERE user_id = $1::uuid", [.id(user)]),
      Statement(
        """
        SELECT seq, body_hash FROM commits
        WHERE user_id = $1::uuid AND commit_id = $2::uuid AND seq > 0
        """, [.id(user), change.commit.map { .id($0.id) } ?? .null]),
      Statement(
        """
        SELECT 1 FROM accounts WHERE user_id = $1::uuid AND secrets_version = $2::bigint
          AND profile = $3::bigint AND opaque_record = $4::bytea
        """,
        [.id(user)]
          + (credential.map {
            [.number($0.secretsVersion), .number($0.profile), .bytes($0.record)]
          } ?? [.null, .null, .null])),
    ]
  }

  init(
    _ user: UserID, kept: SessionID?, _ ground: KeysGround, _ credential: Credential?,
    _ change: KeyringChange, _ vault: VaultState?, _ rows: [Rows]
  ) throws(StoreError) {
    self.user = user
    self.kept = kept
    self.ground = ground
    self.credential = credential
    self.change = change
    self.vault = vault
    hash = RequestHash(of: change, credential)
    present = vault == nil ? nil : try Keyring(rows[0])
    deletion = rows[1].isEmpty ? nil : try Deletion(last: rows[1])
    var epoch = try Columns(first: rows[2])
    greatestDeletedEpoch = try epoch.number()
    if let row = rows[3].first {
      var columns = Columns(row)
      known = (try columns.number(), try columns.hash() == hash)
    } else {
      known = nil
    }
    isCredentialPresent = !rows[4].isEmpty
  }

  mutating func make() throws(StoreError) -> KeyringOutcome {
    if let present, let known {
      return known.isEqual ? .stored(present.tag, seq: known.seq) : .refused(.idReused)
    }
    if ground == .oldLogin { throw .notFresh }
    // No vault, and not begun with a kit: only a deletion's condition could hold.
    guard let keys = change.keys(keeping: present?.keys) else { return .deleted(try last()) }
    switch (change.condition, vault, present) {
    case (.unchanged(let tag), let vault?, let present?):
      if change.commit == nil, present.tag == keys.tag, isCredentialPresent {
        return .stored(present.tag, seq: vault.head.seq)
      }
      guard tag == present.tag else { return .conflict(present.tag, vault) }
      return replace(keys, present, vault)
    case (.newBeginning(let tag, let head), let vault?, let present?):
      guard tag == present.tag, head == vault.head.hash else {
        return .conflict(present.tag, vault)
      }
      return beginAnew(keys, vault)
    case (.afterDeletion, let vault?, let present?):
      return .conflict(present.tag, vault)
    case (.afterDeletion(let hash), nil, _):
      let deletion = try last()
      return deletion.certificateHash == hash ? begin(after: deletion, keys) : .deleted(deletion)
    default:
      return .deleted(try last())
    }
  }

  private func last() throws(StoreError) -> Deletion {
    guard let deletion else {
      throw .damaged("an account has neither a vault nor a deletion")
    }
    return deletion
  }

  /// The same copy goes on under new slots.
  private mutating func replace(
    _ keys: KeyMaterial, _ present: Keyring, _ vault: VaultState
  ) -> KeyringOutcome {
    var seq = vault.head.seq
    if let commit = change.commit {
      guard commit.baseSeq == seq, commit.generation == vault.generation,
        commit.epoch >= vault.epoch
      else { return .conflict(present.tag, vault) }
      // Without a new credential there is no rotation.
      if credential == nil, commit.epoch > vault.epoch { return .refused(.fieldValue("epoch")) }
      if let fault = change.rotationFault(on: vault, ground) { return .refused(fault) }
      seq += 1
      writing.append(.insert(commit, hash: hash, seq: seq, for: user))
      writing.append(
        Statement(
          "UPDATE vaults SET seq = $2::bigint, epoch = $3::bigint WHERE user_id = $1::uuid",
          [.id(user), .number(seq), .number(commit.epoch)]))
    } else if credential == nil || ground == .lostSecret {
      return .refused(.fieldValue("commit"))
    }
    return store(keys, seq: seq)
  }

  /// A new generation of the same rows, which all count as of its first head.
  private mutating func beginAnew(_ keys: KeyMaterial, _ vault: VaultState) -> KeyringOutcome {
    guard let commit = change.commit else { return .refused(.fieldValue("commit")) }
    guard commit.generation > vault.generation else { return .refused(.fieldValue("generation")) }
    guard commit.epoch >= vault.epoch else { return .refused(.fieldValue("epoch")) }
    if let fault = change.rotationFault(on: vault, ground) { return .refused(fault) }
    writing = [
      Statement("DELETE FROM commits WHERE user_id = $1::uuid", [.id(user)]),
      Statement("UPDATE records SET seq = 1 WHERE user_id = $1::uuid", [.id(user)]),
      Statement("UPDATE revisions SET seq = 1 WHERE user_id = $1::uuid", [.id(user)]),
      .insert(commit, hash: hash, seq: 1, for: user),
      Statement(
        """
        UPDATE vaults SET generation = $2::bigint, epoch = $3::bigint, seq = 1
        WHERE user_id = $1::uuid
        """, [.id(user), .number(commit.generation), .number(commit.epoch)]),
    ]
    return store(keys, seq: 1)
  }

  /// A new, empty copy where one was deleted.
  private mutating func begin(after deletion: Deletion, _ keys: KeyMaterial) -> KeyringOutcome {
    guard let commit = change.commit else { return .refused(.fieldValue("commit")) }
    guard commit.generation > deletion.generation else {
      return .refused(.fieldValue("generation"))
    }
    guard commit.epoch > greatestDeletedEpoch else { return .refused(.fieldValue("epoch")) }
    writing = Statement.begin(user, keys: keys, first: commit, hash: hash)
    return store(keys, seq: 1)
  }

  /// Writes keys and credential; with a new one, all other live sessions end.
  private mutating func store(_ keys: KeyMaterial, seq: UInt64) -> KeyringOutcome {
    writing.append(keys.store(for: user))
    if let credential {
      writing.append(
        Statement(
          """
          UPDATE accounts SET secrets_version = $2::bigint, profile = $3::bigint,
            opaque_record = $4::bytea, credential_version = credential_version + 1,
            start_over_session = NULL, start_over_at = NULL
          WHERE user_id = $1::uuid
          """,
          [
            .id(user), .number(credential.secretsVersion), .number(credential.profile),
            .bytes(credential.record),
          ]))
      writing.append(
        Statement(
          """
          DELETE FROM sessions
          WHERE user_id = $1::uuid AND session_id IS DISTINCT FROM $2::bigint
            AND ended_generation IS NULL
          """, [.id(user), .session(kept)]))
    }
    return .stored(keys.tag, seq: seq)
  }
}

extension Keyring {
  static func statement(_ user: UserID) -> Statement {
    Statement(
      """
      SELECT password_slot, recovery_slot, recovery_public_key, keyring, tag FROM keyrings
      WHERE user_id = $1::uuid
      """, [.id(user)], name: "keyring")
  }

  /// The keyring of a vault that is there.
  init(_ rows: Rows) throws(StoreError) {
    guard let row = rows.first else { throw .damaged("a vault has no keyring") }
    var columns = Columns(row)
    let slot = try columns.data()
    let kit = RecoveryKit(slot: try columns.data(), publicKey: try columns.data())
    let keys = KeyMaterial(passwordSlot: slot, recovery: kit, keyring: try columns.data())
    self.init(keys: keys, tag: try columns.hash())
  }
}

extension KeyMaterial {
  /// Writes the keys of a vault, new or again.
  func store(for user: UserID) -> Statement {
    Statement(
      """
      INSERT INTO keyrings AS k
        (user_id, password_slot, recovery_slot, recovery_public_key, keyring, tag)
      VALUES ($1::uuid, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::bytea)
      ON CONFLICT (user_id) DO UPDATE SET password_slot = EXCLUDED.password_slot,
        recovery_slot = EXCLUDED.recovery_slot,
        recovery_public_key = EXCLUDED.recovery_public_key, keyring = EXCLUDED.keyring,
        tag = EXCLUDED.tag
      """,
      [
        .id(user), .bytes(passwordSlot), .bytes(recovery.slot), .bytes(recovery.publicKey),
        .bytes(keyring), .hash(tag),
      ])
  }
}
