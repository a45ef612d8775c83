// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

/// A caller's session and vault, as one statement finds them: the first thing of every read.
struct PostgresStanding {
  let session: Session
  /// The generation whose deletion ended the session for all but its certificate.
  let endedGeneration: UInt32?
  /// Nothing while the vault is deleted.
  let vault: VaultState?

  static func statement(_ caller: Caller, now: Timestamp) -> Statement {
    Statement(
      """
      SELECT s.session_id, s.created_at, s.used_at, s.expires_at, s.label, s.ended_generation,
        v.generation, v.epoch, v.seq, c.head, c.head_hash, v.record_count, v.bytes,
        v.history_bytes, a.quota_bytes, a.quota_records, a.start_over_session, a.start_over_at
      FROM sessions s
        LEFT JOIN vaults v ON v.user_id = s.user_id
        LEFT JOIN accounts a ON a.user_id = s.user_id
        LEFT JOIN LATERAL (
          SELECT * FROM commits h WHERE h.user_id = v.user_id AND h.seq = v.seq OFFSET 0) c ON true
      WHERE s.user_id = $1::uuid AND s.session_id = $2::bigint AND s.token_hash = $3::bytea
        AND s.expires_at > $4::bigint
      """,
      [.id(caller.user), .session(caller.session), .hash(caller.tokenHash), .time(now)],
      name: "standing")
  }

  /// Reads the statement's answer.
  ///
  /// - Throws: ``StoreError/unauthorized`` where there is none.
  init(_ rows: Rows, _ policy: StorePolicy) throws(StoreError) {
    guard let row = rows.first else { throw .unauthorized }
    var columns = Columns(row)
    session = try Session(columns: &columns)
    endedGeneration = columns.skipNull() ? nil : try columns.number()
    vault = try VaultState(columns: &columns, policy)
  }

  /// What a session made at or after `time` may do, this one may.
  ///
  /// - Throws: ``StoreError/notFresh``.
  func demand(freshAfter time: Timestamp) throws(StoreError) {
    guard session.createdAt >= time else { throw .notFresh }
  }
}

extension Session {
  /// Number, times and label, in the order of ``PostgresStanding/statement(_:now:)``.
  init(columns: inout Columns) throws(StoreError) {
    id = try columns.session()
    createdAt = try columns.time()
    usedAt = try columns.time()
    expiresAt = try columns.time()
    label = try columns.optionalData()
  }
}

extension VaultState {
  /// Where the user's vault stands, without a session; one row where there is an account.
  static func statement(_ user: UserID) -> Statement {
    Statement(
      """
      SELECT v.generation, v.epoch, v.seq, c.head, c.head_hash, v.record_count, v.bytes,
        v.history_bytes, a.quota_bytes, a.quota_records, a.start_over_session, a.start_over_at
      FROM accounts a
        LEFT JOIN vaults v ON v.user_id = a.user_id
        LEFT JOIN LATERAL (
          SELECT * FROM commits h WHERE h.user_id = v.user_id AND h.seq = v.seq OFFSET 0) c ON true
      WHERE a.user_id = $1::uuid
      """, [.id(user)], name: "vault_state")
  }

  /// Twelve columns, in the order of ``PostgresStanding/statement(_:now:)``; nothing for NULLs.
  init?(columns: inout Columns, _ policy: StorePolicy) throws(StoreError) {
    guard !columns.skipNull() else { return nil }
    generation = try columns.number()
    epoch = try columns.number()
    let seq: UInt64 = try columns.number()
    head = Head(seq: seq, blob: try columns.data(), hash: try columns.hash())
    recordCount = try columns.number()
    bytes = try columns.number()
    historyBytes = try columns.number()
    quotaBytes = columns.skipNull() ? policy.quotaBytes : try columns.number()
    quotaRecords = columns.skipNull() ? policy.quotaRecords : try columns.number()
    startOver =
      columns.skipNull()
      ? nil : StartOver(session: try columns.session(), requestedAt: try columns.time())
  }
}

extension PostgresStore {
  /// Runs `statements` after the caller's session was found good, all in one round trip.
  ///
  /// All of them see one and the same moment only where `inSnapshot` says so.
  ///
  /// - Throws: ``StoreError/unauthorized``, ``StoreError/gone(_:)``.
  func read(
    _ caller: Caller, now: Timestamp, inSnapshot: Bool = false, _ statements: [Statement] = []
  ) async throws(StoreError) -> (VaultState, [Rows]) {
    let (standing, rows) = try await look(caller, now: now, inSnapshot: inSnapshot, statements)
    guard let vault = standing.vault else {
      throw .gone(try await deletion(of: caller.user, generation: nil))
    }
    return (vault, rows)
  }

  /// As ``read(_:now:inSnapshot:_:)``, where a deleted vault is no obstacle.
  func look(
    _ caller: Caller, now: Timestamp, inSnapshot: Bool = false, _ statements: [Statement] = []
  ) async throws(StoreError) -> (PostgresStanding, [Rows]) {
    var pipeline = [Statement.enter(caller.user), PostgresStanding.statement(caller, now: now)]
    pipeline += statements
    if inSnapshot {
      pipeline.insert(
        Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", name: "snapshot"), at: 0)
      pipeline.append(Statement("COMMIT", name: "commit"))
    }
    let all = try await exchange(pipeline)
    let results = Array(all.dropFirst(inSnapshot ? 2 : 1))
    let standing = try PostgresStanding(results[0], policy)
    if let generation = standing.endedGeneration {
      throw .gone(try await deletion(of: caller.user, generation: generation))
    }
    if standing.session.usedAt <= now - policy.sessionSlide {
      _ = try await exchange(of: caller.user, [slide(caller, now: now)])
    }
    return (standing, Array(results[1..<(1 + statements.count)]))
  }

  /// Moves a session's end; done once a day, so it may cost a round trip of its own.
  func slide(_ caller: Caller, now: Timestamp) -> Statement {
    Statement(
      """
      UPDATE sessions SET used_at = greatest(used_at, $3::bigint),
        expires_at = greatest(expires_at, $4::bigint)
      WHERE user_id = $1::uuid AND session_id = $2::bigint AND ended_generation IS NULL
      """,
      [
        .id(caller.user), .session(caller.session), .time(now), .time(now + policy.sessionLife),
      ])
  }
}
