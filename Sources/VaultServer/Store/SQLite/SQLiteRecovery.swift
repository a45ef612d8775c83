// SPDX-License-Identifier: Apache-2.0
public import Foundation
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// What there is to recover, and whether the nonce is still good for it.
  public func recovery(_ use: NonceUse) async throws(StoreError) -> RecoveryStanding {
    let policy = policy
    return try await read { db in
      let vault = try VaultRow.fetch(use.user, policy, in: db)
      return RecoveryStanding(
        nonce: try use.state(in: db), vault: vault?.state,
        keyring: try vault.map { try Keyring.fetch($0.user, in: db) })
    }
  }

  /// Uses a nonce; the answer of its first use by an equal request.
  public func useOnce(_ use: NonceUse, answer: Data, now: Timestamp) async throws(StoreError)
    -> Data?
  {
    guard now < use.expiry else { return nil }
    return try await writer.run { db in
      switch try use.state(in: db) {
      case .unused:
        try use.insert(answer: answer, in: db)
        return answer
      case .answered(let first): return first
      case .spent: return nil
      }
    }
  }

  /// New credentials by a recovery proof.
  public func putCredential(
    _ credential: Credential, _ change: KeyringChange, proof: RecoveryClaim, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    let fault = change.fault ?? credential.fault
    let policy = policy
    let user = proof.use.user
    let outcome = try await writer.run { db -> KeyringOutcome in
      if let answer = try proof.use.answered(in: db) {
        guard let outcome = KeyringOutcome(answer: answer) else { throw StoreError.unauthorized }
        return outcome
      }
      try proof.demand(policy, now: now, in: db)
      if let fault { return .refused(fault) }
      let writer = KeysWriter(
        user: user, kept: nil, ground: .lostSecret, credential: credential, change: change)
      let outcome = try writer.apply(policy, in: db)
      if let answer = outcome.answer { try proof.use.insert(answer: answer, in: db) }
      return outcome
    }
    if case .stored = outcome { signals.moved(user) }
    return outcome
  }

  /// Deletes the cloud copy by a recovery proof.
  public func deleteVault(
    _ request: DeletionRequest, proof: RecoveryClaim, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome {
    let policy = policy
    let user = proof.use.user
    let outcome = try await writer.run { db -> DeletionOutcome in
      if let answer = try proof.use.answered(in: db) { return .deleted(receipt: answer) }
      let vault = try proof.demand(policy, now: now, in: db)
      if let fault = request.fault { return .refused(fault) }
      guard request.generation == vault.state.generation, request.head == vault.state.head.hash
      else { return .conflict(vault.state) }
      let eraser = SQLiteEraser(
        user: user, deleter: nil, request: request, policy: policy, now: now)
      let bytes = try eraser.erase(vault, receipt: receipt, in: db)
      try proof.use.insert(answer: bytes, in: db)
      return .deleted(receipt: bytes)
    }
    if case .deleted = outcome {
      signals.moved(user)
      await truncateLog()
    }
    return outcome
  }
}

extension RecoveryClaim {
  /// The vault, where the nonce is still good and the recovery key still its own.
  ///
  /// - Throws: ``StoreError/unauthorized``.
  @discardableResult
  fileprivate func demand(_ policy: StorePolicy, now: Timestamp, in db: Database) throws -> VaultRow
  {
    guard now < use.expiry, let vault = try VaultRow.fetch(use.user, policy, in: db),
      try Keyring.fetch(use.user, in: db).keys.recovery.publicKey == publicKey
    else { throw StoreError.unauthorized }
    return vault
  }
}

extension NonceUse {
  fileprivate func state(in db: Database) throws -> NonceState {
    guard
      let row = try db.row(
        "SELECT request_hash, answer FROM nonces WHERE user_id = ? AND nonce = ?", [user, nonce])
    else { return .unused }
    return try row.value(0) == request ? .answered(try row.value(1)) : .spent
  }

  /// The answer that an equal request got; nothing where the nonce is unused.
  ///
  /// - Throws: ``StoreError/unauthorized`` where another request used it.
  fileprivate func answered(in db: Database) throws -> Data? {
    switch try state(in: db) {
    case .unused: return nil
    case .answered(let answer): return answer
    case .spent: throw StoreError.unauthorized
    }
  }

  fileprivate func insert(answer: Data, in db: Database) throws {
    try db.run(
      """
      INSERT INTO nonces (user_id, nonce, request_hash, answer, expires_at)
      VALUES (?, ?, ?, ?, ?)
      """, [user, nonce, request, answer, expiry])
  }
}
