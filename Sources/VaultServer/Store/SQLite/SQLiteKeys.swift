// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// Changes slots and keyring together with a commit of no records.
  public func putKeyring(
    _ change: KeyringChange, caller: Caller, freshAfter: Timestamp, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    try await putKeys(nil, change, caller: caller, freshAfter: freshAfter, now: now)
  }

  /// The same with a new OPAQUE record.
  public func putCredential(
    _ credential: Credential, _ change: KeyringChange, caller: Caller, freshAfter: Timestamp,
    now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    try await putKeys(credential, change, caller: caller, freshAfter: freshAfter, now: now)
  }

  private func putKeys(
    _ credential: Credential?, _ change: KeyringChange, caller: Caller, freshAfter: Timestamp,
    now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    let fault = change.fault ?? credential?.fault
    let policy = policy
    let outcome = try await write(as: caller, now: now) { db, session -> KeyringOutcome in
      let ground = try session.ground(
        credential, freshAfter: freshAfter, now: now, policy, in: db)
      if let fault, ground != .oldLogin { return .refused(fault) }
      let writer = KeysWriter(
        user: session.user, kept: session.session.id, ground: ground, credential: credential,
        change: change)
      return try writer.apply(policy, in: db)
    }
    if case .stored = outcome { signals.moved(caller.user) }
    return outcome
  }
}

extension SessionRow {
  /// On what ground the session may change keys: a fresh login, or its start-over that is due.
  fileprivate func ground(
    _ credential: Credential?, freshAfter: Timestamp, now: Timestamp, _ policy: StorePolicy,
    in db: Database
  ) throws -> KeysGround {
    if session.createdAt >= freshAfter { return .freshLogin }
    let wish = try VaultRow.fetch(user, policy, in: db)?.state.startOver
    let isDue = wish?.admits(session.id, now: now) == true
    return isDue && credential != nil ? .lostSecret : .oldLogin
  }
}

/// One change of keys on its way into the tables.
struct KeysWriter {
  var user: UserID
  /// The session that outlives new credentials.
  var kept: SessionID?
  var ground: KeysGround
  var credential: Credential?
  var change: KeyringChange

  private var hash: RequestHash { RequestHash(of: change, credential) }

  func apply(_ policy: StorePolicy, in db: Database) throws -> KeyringOutcome {
    let vault = try VaultRow.fetch(user, policy, in: db)
    let present = try vault.map { _ in try Keyring.fetch(user, in: db) }
    if let commit = change.commit, let present,
      let known = try VaultRow.known(commit.id, hash: hash, of: user, in: db)
    {
      return known.isEqual ? .stored(present.tag, seq: known.seq) : .refused(.idReused)
    }
    if ground == .oldLogin { throw StoreError.notFresh }
    guard let keys = change.keys(keeping: present?.keys) else {
      // No vault, and not begun with a kit: only a deletion's condition could hold.
      return .deleted(try Deletion.last(of: user, in: db))
    }
    switch (change.condition, vault, present) {
    case (.unchanged(let tag), let vault?, let present?):
      if change.commit == nil, present.tag == keys.tag, try isPresent(credential, in: db) {
        return .stored(present.tag, seq: vault.state.head.seq)
      }
      guard tag == present.tag else { return .conflict(present.tag, vault.state) }
      return try replace(keys, present, vault, in: db)
    case (.newBeginning(let tag, let head), let vault?, let present?):
      guard tag == present.tag, head == vault.state.head.hash else {
        return .conflict(present.tag, vault.state)
      }
      return try beginAnew(keys, vault, in: db)
    case (.afterDeletion, let vault?, let present?):
      return .conflict(present.tag, vault.state)
    case (.afterDeletion(let hash), nil, _):
      let deletion = try Deletion.last(of: user, in: db)
      guard deletion.certificateHash == hash else { return .deleted(deletion) }
      return try beginAfter(deletion, keys, in: db)
    default:
      return .deleted(try Deletion.last(of: user, in: db))
    }
  }

  /// The same copy goes on under new slots.
  private func replace(
    _ keys: KeyMaterial, _ present: Keyring, _ vault: VaultRow, in db: Database
  ) throws -> KeyringOutcome {
    var seq = vault.state.head.seq
    if let commit = change.commit {
      let state = vault.state
      guard commit.baseSeq == seq, commit.generation == state.generation,
        commit.epoch >= state.epoch
      else { return .conflict(present.tag, state) }
      // Without a new credential there is no rotation.
      if credential == nil, commit.epoch > state.epoch { return .refused(.fieldValue("epoch")) }
      if let fault = change.rotationFault(on: state, ground) { return .refused(fault) }
      seq += 1
      try VaultRow.insert(commit, hash: hash, seq: seq, for: user, in: db)
      try db.run(
        "UPDATE vaults SET seq = ?, epoch = ? WHERE user_id = ?",
        [seq, commit.epoch, user])
    } else if credential == nil || ground == .lostSecret {
      return .refused(.fieldValue("commit"))
    }
    return try store(keys, seq: seq, in: db)
  }

  /// A new generation of the same rows, which all count as of its first head.
  private func beginAnew(_ keys: KeyMaterial, _ vault: VaultRow, in db: Database) throws
    -> KeyringOutcome
  {
    guard let commit = change.commit else { return .refused(.fieldValue("commit")) }
    guard commit.generation > vault.state.generation else {
      return .refused(.fieldValue("generation"))
    }
    guard commit.epoch >= vault.state.epoch else { return .refused(.fieldValue("epoch")) }
    if let fault = change.rotationFault(on: vault.state, ground) { return .refused(fault) }
    try db.run("DELETE FROM commits WHERE user_id = ?", [user])
    try db.run("UPDATE records SET seq = 1 WHERE user_id = ?", [user])
    try db.run("UPDATE revisions SET seq = 1 WHERE user_id = ?", [user])
    try VaultRow.insert(commit, hash: hash, seq: 1, for: user, in: db)
    try db.run(
      "UPDATE vaults SET generation = ?, epoch = ?, seq = 1 WHERE user_id = ?",
      [commit.generation, commit.epoch, user])
    return try store(keys, seq: 1, in: db)
  }

  /// A new, empty copy where one was deleted.
  private func beginAfter(_ deletion: Deletion, _ keys: KeyMaterial, in db: Database) throws
    -> KeyringOutcome
  {
    guard let commit = change.commit else { return .refused(.fieldValue("commit")) }
    guard commit.generation > deletion.generation else {
      return .refused(.fieldValue("generation"))
    }
    guard try commit.epoch > Deletion.greatestEpoch(of: user, in: db) else {
      return .refused(.fieldValue("epoch"))
    }
    try VaultRow.begin(user, keys: keys, first: commit, hash: hash, in: db)
    return try store(keys, seq: 1, in: db)
  }

  /// Writes keys and credential; with a new one, all other live sessions end.
  private func store(_ keys: KeyMaterial, seq: UInt64, in db: Database) throws -> KeyringOutcome {
    try keys.insert(for: user, in: db)
    if let credential {
      try db.run(
        """
        UPDATE accounts SET secrets_version = ?, profile = ?, opaque_record = ?,
          credential_version = credential_version + 1, start_over_session = NULL,
          start_over_at = NULL
        WHERE user_id = ?
        """,
        [credential.secretsVersion, credential.profile, credential.record, user])
      try db.run(
        """
        DELETE FROM sessions
        WHERE user_id = ? AND session_id IS NOT ? AND ended_generation IS NULL
        """, [user, Nullable(kept)])
    }
    return .stored(keys.tag, seq: seq)
  }

  private func isPresent(_ credential: Credential?, in db: Database) throws -> Bool {
    guard let credential else { return false }
    return try db.row(
      """
      SELECT 1 FROM accounts
      WHERE user_id = ? AND secrets_version = ? AND profile = ? AND opaque_record = ?
      """,
      [user, credential.secretsVersion, credential.profile, credential.record]) != nil
  }
}
