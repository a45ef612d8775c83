// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Makes a session after a login, in one round trip.
  public func createSession(
    _ new: NewSession, now: Timestamp
  ) async throws(StoreError) -> SessionOutcome {
    let user = new.caller.user
    let results = try await turns.alone(user) { () async throws(StoreError) in
      try await exchange(of: user, opening(new, now: now))
    }
    guard let account = results[0].first, !results[3].isEmpty else { return .stale }
    var columns = Columns(account)
    guard try columns.number() == new.credentialVersion else { return .stale }
    let standing = try PostgresStanding(results[3], policy)
    guard standing.endedGeneration == nil else { return .stale }
    guard let vault = standing.vault else {
      return .openedWithoutVault(standing.session, try Deletion(last: results[5]))
    }
    return .opened(standing.session, vault, try Keyring(results[4]))
  }

  private func opening(_ new: NewSession, now: Timestamp) -> [Statement] {
    let user = new.caller.user
    return
      [
        // The lock keeps a change of the credential, or a deletion, out until this is done.
        Statement(
          "SELECT credential_version FROM accounts WHERE user_id = $1::uuid FOR UPDATE",
          [.id(user)]),
        Statement(
          """
          WITH first AS (
            INSERT INTO nonces (user_id, nonce, request_hash, answer, expires_at)
            SELECT user_id, $7::bytea, $7::bytea, '\\x01', $8::bigint
            FROM accounts WHERE user_id = $1::uuid AND credential_version = $6::bigint
            ON CONFLICT DO NOTHING RETURNING user_id)
          INSERT INTO sessions (user_id, session_id, token_hash, created_at, used_at, expires_at)
          SELECT user_id, $2::bigint, $3::bytea, $4::bigint, $4::bigint, $5::bigint FROM first
          ON CONFLICT DO NOTHING
          """,
          [
            .id(user), .session(new.caller.session), .hash(new.caller.tokenHash), .time(now),
            .time(now + policy.sessionLife), .number(new.credentialVersion),
            .hash(RequestHash(spent: new.caller.session)), .time(now + policy.loginLife),
          ]),
        StartOver.cancel(of: user, for: new.caller, version: new.credentialVersion, now: now),
        PostgresStanding.statement(new.caller, now: now),
        Keyring.statement(user),
        Deletion.statement(user),
        // Of too many the one that was not used for longest ends.
        Statement(
          """
          DELETE FROM sessions WHERE user_id = $1::uuid AND session_id IN (
            SELECT session_id FROM sessions
            WHERE user_id = $1::uuid AND session_id <> $2::bigint AND ended_generation IS NULL
            ORDER BY used_at DESC, created_at DESC, session_id OFFSET $3::bigint)
          """,
          [.id(user), .session(new.caller.session), .number(max(0, policy.sessionCount - 1))]),
      ]
  }

  /// Whether there is such a session, live or ended by a deletion.
  public func hasSession(_ caller: Caller, now: Timestamp) async throws(StoreError) -> Bool {
    let session = Statement(
      """
      SELECT 1 FROM sessions WHERE user_id = $1::uuid AND session_id = $2::bigint
        AND token_hash = $3::bytea AND expires_at > $4::bigint
      """,
      [.id(caller.user), .session(caller.session), .hash(caller.tokenHash), .time(now)],
      name: "has_session")
    return try await !exchange(of: caller.user, [session])[0].isEmpty
  }

  /// The caller's own session.
  public func session(caller: Caller, now: Timestamp) async throws(StoreError) -> Session {
    try await look(caller, now: now).0.session
  }

  /// The caller's live sessions, oldest first.
  public func sessions(caller: Caller, now: Timestamp) async throws(StoreError) -> [Session] {
    let all = Statement(
      """
      SELECT session_id, created_at, used_at, expires_at, label FROM sessions
      WHERE user_id = $1::uuid AND ended_generation IS NULL AND expires_at > $2::bigint
      ORDER BY created_at, session_id
      """, [.id(caller.user), .time(now)])
    let (_, results) = try await look(caller, now: now, [all])
    var sessions: [Session] = []
    for row in results[0] {
      var columns = Columns(row)
      sessions.append(try Session(columns: &columns))
    }
    return sessions
  }

  /// Ends one of the caller's sessions.
  public func endSession(
    _ id: SessionID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Bool {
    let ended = try await change(
      id, "DELETE FROM sessions t", [], caller: caller, now: now,
      after: [StartOver.cancel(by: id, for: caller, now: now)])
    if ended { notices.moved(caller.user) }
    return ended
  }

  /// Sets or removes the label of one of the caller's sessions.
  public func setLabel(
    _ label: Data?, of id: SessionID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Bool {
    if let label, !(1...Limits.labelBytes).contains(label.count) {
      _ = try await look(caller, now: now)
      return false
    }
    return try await change(
      id, "UPDATE sessions t SET label = $6::bytea", [.optional(label)], caller: caller, now: now)
  }

  /// Changes one session of the caller's, if the caller's own is good: else `look` throws.
  private func change(
    _ id: SessionID, _ verb: String, _ values: [Value], caller: Caller, now: Timestamp,
    after first: [Statement] = []
  ) async throws(StoreError) -> Bool {
    let statement = Statement(
      """
      \(verb) WHERE t.user_id = $1::uuid AND t.session_id = $2::bigint
        AND t.ended_generation IS NULL AND t.expires_at > $3::bigint
        AND EXISTS (
          SELECT 1 FROM sessions s WHERE s.user_id = $1::uuid AND s.session_id = $4::bigint
            AND s.token_hash = $5::bytea AND s.expires_at > $3::bigint
            AND s.ended_generation IS NULL)
      """,
      [
        .id(caller.user), .session(id), .time(now), .session(caller.session),
        .hash(caller.tokenHash),
      ] + values)
    let (_, results) = try await look(caller, now: now, first + [statement])
    return results[first.count].affected > 0
  }
}
