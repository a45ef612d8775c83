// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LibPQ
import Synchronization
import VaultProtocol

extension PostgresStore {
  /// What there is to recover, and whether the nonce is still good for it; one round trip.
  public func recovery(_ use: NonceUse) async throws(StoreError) -> RecoveryStanding {
    let snapshot = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", name: "snapshot")
    let rows = try await exchange(
      [
        snapshot, .enter(use.user), use.statement, VaultState.statement(use.user),
        Keyring.statement(use.user), Statement("COMMIT", name: "commit"),
      ])
    let vault = try VaultState(ofAccount: rows[3], policy)
    return RecoveryStanding(
      nonce: try use.state(rows[2]), vault: vault,
      keyring: vault == nil ? nil : try Keyring(rows[4]))
  }

  /// Uses a nonce; the answer of its first use by an equal request.
  public func useOnce(
    _ use: NonceUse, answer: Data, now: Timestamp
  ) async throws(StoreError) -> Data? {
    guard now < use.expiry else { return nil }
    let rows = try await exchange(of: use.user, [use.insert(answer: answer), use.statement])
    guard case .answered(let first) = try use.state(rows[1]) else { return nil }
    return first
  }

  /// New credentials by a recovery proof.
  public func putCredential(
    _ credential: Credential, _ change: KeyringChange, proof: RecoveryClaim, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome {
    let user = proof.use.user
    let reading = KeysDecision.reading(credential, change, user)
    let outcome = try await prove(proof, now: now, reading) {
      (answer, vault, rows) throws(StoreError) -> (KeyringOutcome, [Statement]) in
      if let answer {
        guard let outcome = KeyringOutcome(answer: answer) else { throw .unauthorized }
        return (outcome, [])
      }
      if let fault = change.fault ?? credential.fault { return (.refused(fault), []) }
      var decision = try KeysDecision(
        user, kept: nil, .lostSecret, credential, change, vault, rows)
      let outcome = try decision.make()
      let used = outcome.answer.map { [proof.use.insert(answer: $0)] } ?? []
      return (outcome, decision.writing + used)
    }
    if case .stored = outcome { notices.moved(user) }
    return outcome
  }

  /// Deletes the cloud copy by a recovery proof.
  public func deleteVault(
    _ request: DeletionRequest, proof: RecoveryClaim, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome {
    let user = proof.use.user
    let reading = [PostgresEraser.count(user, deleter: nil, now: now)]
    let outcome = try await prove(proof, now: now, reading) {
      (answer, vault, rows) throws(StoreError) -> (DeletionOutcome, [Statement]) in
      guard let vault else { return (.deleted(receipt: answer ?? Data()), []) }
      if let fault = request.fault { return (.refused(fault), []) }
      guard request.generation == vault.generation, request.head == vault.head.hash else {
        return (.conflict(vault), [])
      }
      var eraser = PostgresEraser(
        user: user, deleter: nil, request: request, policy: policy, now: now)
      let bytes = try eraser.erase(vault, counted: rows[0], receipt: receipt)
      return (.deleted(receipt: bytes), eraser.writing + [proof.use.insert(answer: bytes)])
    }
    if case .deleted = outcome {
      isVacuumDue.withLock { $0 = true }
      notices.moved(user)
    }
    return outcome
  }

  /// A transaction for the holder of a recovery key: the answer that an equal request got, or the
  /// vault, where the nonce is still good and the key still its own.
  ///
  /// - Throws: ``StoreError/unauthorized``.
  private func prove<R>(
    _ proof: RecoveryClaim, now: Timestamp, _ reading: [Statement],
    _ decide: (Data?, VaultState?, [Rows]) throws(StoreError) -> (R, [Statement])
  ) async throws(StoreError) -> R {
    let user = proof.use.user
    let locks = Statement.lock(user)
    let first =
      locks + [proof.use.statement, VaultState.statement(user), Keyring.statement(user)]
    return try await transaction(of: user, first + reading) {
      (rows) throws(StoreError) -> (R, [Statement]) in
      let further = Array(rows[first.count...])
      switch try proof.use.state(rows[locks.count]) {
      case .answered(let answer): return try decide(answer, nil, further)
      case .spent: throw .unauthorized
      case .unused:
        guard now < proof.use.expiry,
          let vault = try VaultState(ofAccount: rows[locks.count + 1], policy),
          try Keyring(rows[locks.count + 2]).keys.recovery.publicKey == proof.publicKey
        else { throw .unauthorized }
        return try decide(nil, vault, further)
      }
    }
  }
}

extension VaultState {
  /// The answer to ``statement(_:)``; nothing where there is no account, or no vault.
  init?(ofAccount rows: Rows, _ policy: StorePolicy) throws(StoreError) {
    guard let row = rows.first else { return nil }
    var columns = Columns(row)
    try self.init(columns: &columns, policy)
  }
}

extension NonceUse {
  fileprivate var statement: Statement {
    Statement(
      """
      SELECT request_hash, answer FROM nonces WHERE user_id = $1::uuid AND nonce = $2::bytea
      """, [.id(user), .hash(nonce)], name: "nonce")
  }

  fileprivate func state(_ rows: Rows) throws(StoreError) -> NonceState {
    guard let row = rows.first else { return .unused }
    var columns = Columns(row)
    let request: RequestHash = try columns.hash()
    return request == self.request ? .answered(try columns.data()) : .spent
  }

  fileprivate func insert(answer: Data) -> Statement {
    Statement(
      """
      INSERT INTO nonces (user_id, nonce, request_hash, answer, expires_at)
      VALUES ($1::uuid, $2::bytea, $3::bytea, $4::bytea, $5::bigint) ON CONFLICT DO NOTHING
      """, [.id(user), .hash(nonce), .hash(request), .bytes(answer), .time(expiry)])
  }
}
