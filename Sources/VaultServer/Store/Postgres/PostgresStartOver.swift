// SPDX-License-Identifier: Apache-2.0
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Asks to start over; the wish that is pending then.
  public func startOver(caller: Caller, now: Timestamp) async throws(StoreError) -> StartOver {
    let wish = try await write(as: caller, now: now, [Deletion.statement(caller.user)]) {
      (standing, rows) throws(StoreError) -> (StartOver, [Statement]) in
      guard let vault = standing.vault else { throw .gone(try Deletion(last: rows[0])) }
      if let pending = vault.startOver { return (pending, []) }
      let ask = Statement(
        """
        UPDATE accounts SET start_over_session = $2::bigint, start_over_at = $3::bigint
        WHERE user_id = $1::uuid
        """, [.id(caller.user), .session(caller.session), .time(now)])
      return (StartOver(session: caller.session, requestedAt: now), [ask])
    }
    notices.moved(caller.user)
    return wish
  }

  /// Takes a wish to start over back, whoever's it is.
  public func refuseStartOver(caller: Caller, now: Timestamp) async throws(StoreError) {
    try await write(as: caller, now: now, []) { (_, _) throws(StoreError) in
      ((), [StartOver.cancel(of: caller.user)])
    }
    notices.moved(caller.user)
  }
}

extension StartOver {
  /// Takes back what is pending.
  static func cancel(of user: UserID) -> Statement {
    Statement(
      """
      UPDATE accounts SET start_over_session = NULL, start_over_at = NULL
      WHERE user_id = $1::uuid AND start_over_at IS NOT NULL
      """, [.id(user)])
  }

  /// Takes back what is pending, if `caller` has logged in under this version of the credential.
  static func cancel(
    of user: UserID, for caller: Caller, version: UInt64, now: Timestamp
  ) -> Statement {
    Statement(
      """
      UPDATE accounts SET start_over_session = NULL, start_over_at = NULL
      WHERE user_id = $1::uuid AND start_over_at IS NOT NULL AND credential_version = $2::bigint
        AND \(isLive("$3", "$4", "$5"))
      """,
      [
        .id(user), .number(version), .session(caller.session), .hash(caller.tokenHash), .time(now),
      ])
  }

  /// Takes back what a session asked for that `caller` ends.
  static func cancel(by session: SessionID, for caller: Caller, now: Timestamp) -> Statement {
    Statement(
      """
      UPDATE accounts SET start_over_session = NULL, start_over_at = NULL
      WHERE user_id = $1::uuid AND start_over_session = $2::bigint
        AND \(isLive("$3", "$4", "$5"))
      """,
      [
        .id(caller.user), .session(session), .session(caller.session), .hash(caller.tokenHash),
        .time(now),
      ])
  }

  private static func isLive(_ session: String, _ token: String, _ now: String) -> String {
    """
    EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = $1::uuid AND s.session_id = \(session)::bigint
      AND s.token_hash = \(token)::bytea AND s.expires_at > \(now)::bigint
      AND s.ended_generation IS NULL)
    """
  }
}
