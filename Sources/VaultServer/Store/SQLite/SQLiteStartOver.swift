// SPDX-License-Identifier: Apache-2.0
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// Asks to start over; the wish that is pending then.
  public func startOver(caller: Caller, now: Timestamp) async throws(StoreError) -> StartOver {
    let policy = policy
    let wish = try await write(as: caller, now: now) { db, row -> StartOver in
      if let pending = try VaultRow.present(row.user, policy, in: db).state.startOver {
        return pending
      }
      try db.run(
        "UPDATE accounts SET start_over_session = ?, start_over_at = ? WHERE user_id = ?",
        [row.session.id, now, row.user])
      return StartOver(session: row.session.id, requestedAt: now)
    }
    signals.moved(caller.user)
    return wish
  }

  /// Takes a wish to start over back, whoever's it is.
  public func refuseStartOver(caller: Caller, now: Timestamp) async throws(StoreError) {
    try await write(as: caller, now: now) { db, row in
      try StartOver.cancel(of: row.user, in: db)
    }
    signals.moved(caller.user)
  }
}

extension StartOver {
  /// Takes back what is pending.
  static func cancel(of user: UserID, in db: Database) throws {
    try db.run(
      """
      UPDATE accounts SET start_over_session = NULL, start_over_at = NULL
      WHERE user_id = ? AND start_over_at IS NOT NULL
      """, [user])
  }

  /// Takes back what that session asked for, since it ends.
  static func cancel(by session: SessionID, of user: UserID, in db: Database) throws {
    try db.run(
      """
      UPDATE accounts SET start_over_session = NULL, start_over_at = NULL
      WHERE user_id = ? AND start_over_session = ?
      """, [user, session])
  }
}
