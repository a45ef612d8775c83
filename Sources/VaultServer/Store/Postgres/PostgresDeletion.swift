// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LibPQ
import Synchronization
import VaultProtocol

extension PostgresStore {
  /// Deletes the cloud copy, and the account if that is asked for.
  public func deleteVault(
    _ request: DeletionRequest, caller: Caller, freshAfter: Timestamp, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome {
    let reading =
      Statement.lock(caller.user) + [
        PostgresStanding.statement(caller, now: now),
        Deletion.statement(caller.user),
        Deletion.statement(endingSessionOf: caller),
        PostgresEraser.count(caller.user, deleter: caller.session, now: now),
      ]
    let outcome = try await transaction(of: caller.user, reading) {
      (rows) throws(StoreError) -> (DeletionOutcome, [Statement]) in
      let standing = try PostgresStanding(rows[2], policy)
      if standing.endedGeneration != nil {
        let deletion = try Deletion(last: rows[4])
        var columns = try Columns(first: rows[4])
        guard !columns.skipNull(), try columns.session() == caller.session else {
          throw .gone(deletion)
        }
        return (.deleted(receipt: deletion.receipt), [])
      }
      var eraser = PostgresEraser(
        user: caller.user, deleter: caller.session, request: request, policy: policy, now: now)
      guard let vault = standing.vault else {
        let deletion = try Deletion(last: rows[3])
        if request.withAccount {
          try standing.demand(freshAfter: freshAfter)
          eraser.eraseAccount(generation: deletion.generation)
        }
        return (.deleted(receipt: deletion.receipt), eraser.writing)
      }
      try standing.demand(freshAfter: freshAfter)
      if let fault = request.fault { return (.refused(fault), []) }
      guard request.generation == vault.generation, request.head == vault.head.hash else {
        return (.conflict(vault), [])
      }
      let bytes = try eraser.erase(vault, counted: rows[5], receipt: receipt)
      return (.deleted(receipt: bytes), eraser.writing)
    }
    if case .deleted = outcome {
      isVacuumDue.withLock { $0 = true }
      notices.moved(caller.user)
    }
    return outcome
  }

  /// The deletion of a generation, or the newest one.
  func deletion(of user: UserID, generation: UInt32?) async throws(StoreError) -> Deletion {
    let statement = Deletion.statement(user, generation: generation)
    return try Deletion(last: try await exchange(of: user, [statement])[0])
  }
}

/// Writes down how one user's cloud copy is removed.
struct PostgresEraser {
  let user: UserID
  /// The session that deletes; nothing where a recovery proof or the operator does.
  let deleter: SessionID?
  let request: DeletionRequest
  let policy: StorePolicy
  let now: Timestamp
  var writing: [Statement] = []

  static func count(_ user: UserID, deleter: SessionID?, now: Timestamp) -> Statement {
    Statement(
      """
      SELECT (SELECT count(*) FROM records WHERE user_id = $1::uuid),
        (SELECT count(*) FROM revisions WHERE user_id = $1::uuid),
        (SELECT count(*) FROM commits WHERE user_id = $1::uuid),
        (SELECT count(*) FROM keyrings WHERE user_id = $1::uuid),
        (SELECT count(*) FROM sessions WHERE user_id = $1::uuid
          AND session_id IS DISTINCT FROM $2::bigint AND ended_generation IS NULL
          AND expires_at > $3::bigint)
      """, [.id(user), .session(deleter), .time(now)])
  }

  /// Everything of the vault goes; the receipt of it.
  mutating func erase(
    _ vault: VaultState, counted rows: Rows, receipt: (DeletionSummary) -> Data
  ) throws(StoreError) -> Data {
    var count = try Columns(first: rows)
    let summary = DeletionSummary(
      user: user, generation: vault.generation, lastSeq: vault.head.seq, at: now,
      certificateHash: request.certificateHash, records: try count.number(),
      revisions: try count.number(), bytes: vault.bytes + vault.historyBytes,
      commits: try count.number(), keyrings: try count.number(), sessions: try count.number(),
      withAccount: request.withAccount)
    for table in ["records", "revisions", "commits", "keyrings", "vaults"] {
      writing.append(Statement("DELETE FROM \(table) WHERE user_id = $1::uuid", [.id(user)]))
    }
    // Labels are sealed under the vault's key: they go too. The right to the certificate lasts as
    // long as the account.
    writing.append(
      Statement("UPDATE sessions SET label = NULL WHERE user_id = $1::uuid", [.id(user)]))
    writing.append(StartOver.cancel(of: user))
    writing.append(
      Statement(
        """
        UPDATE sessions SET ended_generation = $2::bigint, expires_at = $3::bigint
        WHERE user_id = $1::uuid AND session_id IS DISTINCT FROM $4::bigint
          AND ended_generation IS NULL AND expires_at > $5::bigint
        """,
        [
          .id(user), .number(vault.generation), .number(Int64.max), .session(deleter), .time(now),
        ]))
    let bytes = receipt(summary)
    keep(bytes, of: vault)
    if request.withAccount { eraseAccount(generation: vault.generation) }
    return bytes
  }

  private mutating func keep(_ receipt: Data, of vault: VaultState) {
    writing.append(
      Statement(
        """
        INSERT INTO deletions (user_id, generation, epoch, last_seq, deleted_at, session_id,
          certificate_hash, receipt)
        VALUES ($1::uuid, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bytea,
          $8::bytea)
        """,
        [
          .id(user), .number(vault.generation), .number(vault.epoch), .number(vault.head.seq),
          .time(now), .session(deleter), .hash(request.certificateHash), .bytes(receipt),
        ]))
    writing.append(
      Statement(
        """
        INSERT INTO certificates (user_id, generation, position, epoch, certificate)
        SELECT $1::uuid, $2::bigint, n.i - 1, n.epoch, n.certificate
        FROM unnest($3::bigint[], $4::bytea[]) WITH ORDINALITY AS n (epoch, certificate, i)
        """,
        [
          .id(user), .number(vault.generation),
          .int8Array(request.certificates.map { Int64($0.epoch) }),
          .bytesArray(request.certificates.map(\.blob)),
        ]))
    // Certificates of deletions long past go, with the sessions that had a right to them.
    for (table, column) in [("certificates", "generation"), ("sessions", "ended_generation")] {
      writing.append(
        Statement(
          """
          DELETE FROM \(table) WHERE user_id = $1::uuid AND \(column) <= (
            SELECT generation FROM deletions WHERE user_id = $1::uuid
            ORDER BY generation DESC OFFSET $2::bigint LIMIT 1)
          """, [.id(user), .number(policy.deletionCount)]))
    }
  }

  /// Name, OPAQUE record and live sessions go; what stays, for a while, is token hashes with the
  /// certificate, and the receipt for the session that deleted.
  mutating func eraseAccount(generation: UInt32) {
    let end = now + policy.deletedAccountLife
    writing += [
      Statement(
        """
        UPDATE sessions SET ended_generation = coalesce(ended_generation, $2::bigint),
          label = NULL, created_at = $3::bigint, used_at = $3::bigint, expires_at = $4::bigint
        WHERE user_id = $1::uuid AND expires_at > $3::bigint
        """, [.id(user), .number(generation), .time(now), .time(end)]),
      Statement(
        "UPDATE deletions SET expires_at = $2::bigint WHERE user_id = $1::uuid",
        [.id(user), .time(end)]),
      Statement(
        """
        UPDATE deletions SET session_id = coalesce($3::bigint, session_id)
        WHERE user_id = $1::uuid AND generation = $2::bigint
        """, [.id(user), .number(generation), .session(deleter)]),
      Statement("DELETE FROM nonces WHERE user_id = $1::uuid", [.id(user)]),
      Statement(
        """
        DELETE FROM names n USING accounts a
        WHERE a.user_id = $1::uuid AND n.name_key = a.name_key AND n.user_id = a.user_id
        """, [.id(user)]),
      Statement("DELETE FROM accounts WHERE user_id = $1::uuid", [.id(user)]),
    ]
  }
}

extension Deletion {
  private static let columns =
    "d.session_id, d.generation, d.last_seq, d.deleted_at, d.certificate_hash, d.receipt, "
    + "c.epoch, c.certificate"

  /// A row for each certificate of a generation's deletion, or of the newest one; one where there is
  /// no certificate.
  static func statement(_ user: UserID, generation: UInt32? = nil) -> Statement {
    Statement(
      """
      SELECT \(columns) FROM deletions d
        LEFT JOIN certificates c ON c.user_id = d.user_id AND c.generation = d.generation
      WHERE d.user_id = $1::uuid AND d.generation = coalesce($2::bigint,
        (SELECT max(generation) FROM deletions WHERE user_id = $1::uuid))
      ORDER BY c.position
      """, [.id(user), generation.map { .number($0) } ?? .null])
  }

  /// The same of the deletion that ended the caller's session.
  static func statement(endingSessionOf caller: Caller) -> Statement {
    Statement(
      """
      SELECT \(columns) FROM sessions s
        JOIN deletions d ON d.user_id = s.user_id AND d.generation = s.ended_generation
        LEFT JOIN certificates c ON c.user_id = d.user_id AND c.generation = d.generation
      WHERE s.user_id = $1::uuid AND s.session_id = $2::bigint
      ORDER BY c.position
      """, [.id(caller.user), .session(caller.session)])
  }

  /// The deletion whose certificates the rows are.
  init(last rows: Rows) throws(StoreError) {
    var columns = try Columns(first: rows)
    columns.skip(1)
    self.init(
      generation: try columns.number(), lastSeq: try columns.number(), at: try columns.time(),
      certificates: [], certificateHash: try columns.hash(), receipt: try columns.data())
    for row in rows {
      var columns = Columns(row)
      columns.skip(6)
      if columns.skipNull() { break }
      certificates.append(
        Certificate(epoch: try columns.number(), blob: try columns.data()))
    }
  }
}
