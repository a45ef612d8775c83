// SPDX-License-Identifier: Apache-2.0
public import Foundation
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// Deletes the cloud copy, and the account if that is asked for.
  public func deleteVault(
    _ request: DeletionRequest, caller: Caller, freshAfter: Timestamp, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome {
    let fault = request.fault
    let policy = policy
    let outcome = try await writer.run { db -> DeletionOutcome in
      let session: SessionRow
      switch try SessionRow.found(caller, now: now, in: db) {
      case .ended(let deletion, isDeleter: true): return .deleted(receipt: deletion.receipt)
      case .ended(let deletion, isDeleter: false): throw StoreError.gone(deletion)
      case .live(let row): session = row
      }
      let eraser = SQLiteEraser(
        user: caller.user, deleter: caller.session, request: request, policy: policy, now: now)
      guard let vault = try VaultRow.fetch(caller.user, policy, in: db) else {
        let deletion = try Deletion.last(of: caller.user, in: db)
        if request.withAccount {
          try session.requireFresh(after: freshAfter)
          try eraser.eraseAccount(generation: deletion.generation, in: db)
        }
        return .deleted(receipt: deletion.receipt)
      }
      try session.requireFresh(after: freshAfter)
      if let fault { return .refused(fault) }
      guard request.generation == vault.state.generation, request.head == vault.state.head.hash
      else { return .conflict(vault.state) }
      return .deleted(receipt: try eraser.erase(vault, receipt: receipt, in: db))
    }
    if case .deleted = outcome {
      signals.moved(caller.user)
      await truncateLog()
    }
    return outcome
  }

  /// Moves the log into the file and empties it: what was deleted is not left there.
  ///
  /// Where a reader still needs the log, the next deletion or the automatic checkpoint does it.
  func truncateLog() async {
    await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { db in
        _ = try? db.checkpoint(.truncate)
        continuation.resume()
      }
    }
  }
}

/// Removes one user's cloud copy in the transaction it is given.
struct SQLiteEraser {
  var user: UserID
  /// The session that deletes; nothing where a recovery proof or the operator does.
  var deleter: SessionID?
  var request: DeletionRequest
  var policy: StorePolicy
  var now: Timestamp

  /// Everything of the vault goes; the receipt of it.
  func erase(
    _ vault: VaultRow, receipt: (DeletionSummary) -> Data, in db: Database
  ) throws -> Data {
    let state = vault.state
    var summary = DeletionSummary(
      user: user, generation: state.generation, lastSeq: state.head.seq, at: now,
      certificateHash: request.certificateHash, records: 0, revisions: 0,
      bytes: state.bytes + state.historyBytes, commits: 0, keyrings: 0, sessions: 0,
      withAccount: request.withAccount)
    summary.records = try db.run("DELETE FROM records WHERE user_id = ?", [user])
    summary.revisions = try db.run("DELETE FROM revisions WHERE user_id = ?", [user])
    summary.commits = try db.run("DELETE FROM commits WHERE user_id = ?", [user])
    summary.keyrings = try db.run("DELETE FROM keyrings WHERE user_id = ?", [user])
    try db.run("DELETE FROM vaults WHERE user_id = ?", [user])
    // Labels are sealed under the vault's key: they go too. The right to the certificate lasts as
    // long as the account.
    try db.run("UPDATE sessions SET label = NULL WHERE user_id = ?", [user])
    try StartOver.cancel(of: user, in: db)
    summary.sessions = try db.run(
      """
      UPDATE sessions SET ended_generation = ?, expires_at = ?
      WHERE user_id = ? AND session_id IS NOT ? AND ended_generation IS NULL AND expires_at > ?
      """, [state.generation, Int64.max, user, Nullable(deleter), now])
    let bytes = receipt(summary)
    try keep(bytes, of: state, in: db)
    if request.withAccount { try eraseAccount(generation: state.generation, in: db) }
    return bytes
  }

  private func keep(_ receipt: Data, of state: VaultState, in db: Database) throws {
    let generation = state.generation
    try db.run(
      """
      INSERT INTO deletions (user_id, generation, epoch, last_seq, deleted_at, session_id,
        certificate_hash, receipt)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        user, generation, state.epoch, state.head.seq, now, Nullable(deleter),
        request.certificateHash,
        receipt,
      ])
    for (position, certificate) in request.certificates.enumerated() {
      try db.run(
        """
        INSERT INTO certificates (user_id, generation, position, epoch, certificate)
        VALUES (?, ?, ?, ?, ?)
        """, [user, generation, position, certificate.epoch, certificate.blob])
    }
    try forgetOld(in: db)
  }

  /// Certificates of deletions long past go, with the sessions that had a right to them.
  private func forgetOld(in db: Database) throws {
    guard
      let row = try db.row(
        """
        SELECT generation FROM deletions WHERE user_id = ?
        ORDER BY generation DESC LIMIT 1 OFFSET ?
        """, [user, policy.deletionCount])
    else { return }
    let last = try row.value(0, as: UInt32.self)
    try db.run(
      "DELETE FROM certificates WHERE user_id = ? AND generation <= ?", [user, last])
    try db.run(
      "DELETE FROM sessions WHERE user_id = ? AND ended_generation <= ?", [user, last])
  }

  /// Name, OPAQUE record and live sessions go; what stays, for a while, is token hashes with the
  /// certificate, and the receipt for the session that deleted.
  func eraseAccount(generation: UInt32, in db: Database) throws {
    let end = now + policy.deletedAccountLife
    try db.run(
      """
      UPDATE sessions SET ended_generation = coalesce(ended_generation, ?), label = NULL,
        created_at = ?, used_at = ?, expires_at = ?
      WHERE user_id = ? AND expires_at > ?
      """, [generation, now, now, end, user, now])
    try db.run("UPDATE deletions SET expires_at = ? WHERE user_id = ?", [end, user])
    try db.run(
      """
      UPDATE deletions SET session_id = coalesce(?, session_id)
      WHERE user_id = ? AND generation = ?
      """,
      [Nullable(deleter), user, generation])
    try db.run("DELETE FROM nonces WHERE user_id = ?", [user])
    try db.run("DELETE FROM accounts WHERE user_id = ?", [user])
  }
}

extension Deletion {
  private static let columns =
    "generation, last_seq, deleted_at, certificate_hash, receipt, session_id"

  /// The deletion of a generation, and the session that did it, if one did.
  static func stored(_ user: UserID, generation: UInt32, in db: Database) throws
    -> (Deletion, SessionID?)
  {
    guard
      let row = try db.row(
        "SELECT \(columns) FROM deletions WHERE user_id = ? AND generation = ?",
        [user, generation])
    else { throw StoreError.damaged("a session's deletion is missing") }
    return (try Deletion(row, of: user, in: db), try row.optional(5))
  }

  /// The newest deletion of a user whose vault is not there.
  static func last(of user: UserID, in db: Database) throws -> Deletion {
    guard
      let row = try db.row(
        "SELECT \(columns) FROM deletions WHERE user_id = ? ORDER BY generation DESC LIMIT 1",
        [user])
    else { throw StoreError.damaged("an account has neither a vault nor a deletion") }
    return try Deletion(row, of: user, in: db)
  }

  /// The greatest epoch of all deleted copies.
  static func greatestEpoch(of user: UserID, in db: Database) throws -> UInt32 {
    guard let row = try db.row("SELECT max(epoch) FROM deletions WHERE user_id = ?", [user]) else {
      return 0
    }
    return try row.value(0)
  }

  private init(_ row: Row, of user: UserID, in db: Database) throws {
    self.init(
      generation: try row.value(0), lastSeq: try row.value(1), at: try row.value(2),
      certificates: [], certificateHash: try row.value(3), receipt: try row.value(4))
    var certificates: [Certificate] = []
    try db.forEach(
      """
      SELECT epoch, certificate FROM certificates
      WHERE user_id = ? AND generation = ? ORDER BY position
      """, [user, generation]
    ) { row in
      certificates.append(Certificate(epoch: try row.value(0), blob: try row.value(1)))
      return true
    }
    self.certificates = certificates
  }
}
