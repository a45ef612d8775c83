// SPDX-License-Identifier: Apache-2.0
public import Foundation
import GRDB
import VaultProtocol

/// A session that was found good, in the transaction that looks.
struct SessionRow: Sendable {
  var user: UserID
  var session: Session

  private static let columns = "session_id, created_at, used_at, expires_at, label"

  /// The caller's session.
  ///
  /// - Throws: ``StoreError/unauthorized``, or ``StoreError/gone(_:)`` when a deletion ended it.
  static func checked(_ caller: Caller, now: Timestamp, in db: Database) throws -> SessionRow {
    switch try found(caller, now: now, in: db) {
    case .live(let row): return row
    case .ended(let deletion, _): throw StoreError.gone(deletion)
    }
  }

  /// A session with the right token that has not expired.
  enum Found {
    case live(SessionRow)
    /// From before a deletion; and whether it is the one that deleted.
    case ended(Deletion, isDeleter: Bool)
  }

  /// The caller's session, live or ended by a deletion.
  ///
  /// - Throws: ``StoreError/unauthorized``.
  static func found(_ caller: Caller, now: Timestamp, in db: Database) throws -> Found {
    guard
      let row = try db.row(
        """
        SELECT \(columns), token_hash, ended_generation FROM sessions
        WHERE user_id = ? AND session_id = ?
        """, [caller.user, caller.session]),
      try row.value(5, as: TokenHash.self) == caller.tokenHash,
      now < (try row.value(3, as: Timestamp.self))
    else { throw StoreError.unauthorized }
    guard let generation = try row.optional(6, as: UInt32.self) else {
      return .live(SessionRow(user: caller.user, session: try Session(row)))
    }
    let (deletion, deleter) = try Deletion.stored(caller.user, generation: generation, in: db)
    return .ended(deletion, isDeleter: deleter == caller.session)
  }

  /// Writes a new session; of too many the one that was not used for longest ends.
  fileprivate static func insert(
    _ caller: Caller, _ policy: StorePolicy, now: Timestamp, in db: Database
  ) throws {
    try db.run(
      """
      INSERT OR IGNORE INTO sessions
        (user_id, session_id, token_hash, created_at, used_at, expires_at)
      VALUES (?, ?, ?, ?, ?, ?)
      """,
      [caller.user, caller.session, caller.tokenHash, now, now, now + policy.sessionLife])
    try db.run(
      """
      DELETE FROM sessions WHERE user_id = ? AND session_id IN (
        SELECT session_id FROM sessions
        WHERE user_id = ? AND session_id <> ? AND ended_generation IS NULL
        ORDER BY used_at DESC, created_at DESC, session_id LIMIT -1 OFFSET ?)
      """, [caller.user, caller.user, caller.session, max(0, policy.sessionCount - 1)])
  }

  /// Throws ``StoreError/notFresh`` for a login before `moment`.
  func requireFresh(after moment: Timestamp) throws {
    guard session.createdAt >= moment else { throw StoreError.notFresh }
  }

  func isSlideDue(after slide: Duration, now: Timestamp) -> Bool {
    session.usedAt + slide <= now
  }

  func slide(to now: Timestamp, life: Duration, in db: Database) throws {
    try db.run(
      "UPDATE sessions SET used_at = ?, expires_at = ? WHERE user_id = ? AND session_id = ?",
      [now, now + life, user, session.id])
  }

  /// All live sessions of the user, oldest first.
  static func all(of user: UserID, now: Timestamp, in db: Database) throws -> [Session] {
    var sessions: [Session] = []
    try db.forEach(
      """
      SELECT \(columns) FROM sessions
      WHERE user_id = ? AND ended_generation IS NULL AND expires_at > ?
      ORDER BY created_at, session_id
      """, [user, now]
    ) { row in
      sessions.append(try Session(row))
      return true
    }
    return sessions
  }
}

extension Session {
  fileprivate init(_ row: Row) throws {
    self.init(
      id: try row.value(0), createdAt: try row.value(1), usedAt: try row.value(2),
      expiresAt: try row.value(3), label: try row.optional(4))
  }
}

extension SQLiteStore {
  /// Makes a session after a login.
  public func createSession(_ new: NewSession, now: Timestamp) async throws(StoreError)
    -> SessionOutcome
  {
    let policy = policy
    return try await writer.run { db in
      let caller = new.caller
      guard
        let row = try db.row(
          "SELECT credential_version FROM accounts WHERE user_id = ?", [caller.user]),
        try row.value(0) == new.credentialVersion
      else { return .stale }
      let login = RequestHash(spent: caller.session)
      let isFirst =
        try db.run(
          """
          INSERT OR IGNORE INTO nonces (user_id, nonce, request_hash, answer, expires_at)
          VALUES (?, ?, ?, x'01', ?)
          """, [caller.user, login, login, now + policy.loginLife]) > 0
      if isFirst { try SessionRow.insert(caller, policy, now: now, in: db) }
      let found: SessionRow.Found
      do {
        found = try SessionRow.found(caller, now: now, in: db)
      } catch StoreError.unauthorized {
        return .stale
      }
      guard case .live(let row) = found else { return .stale }
      try StartOver.cancel(of: caller.user, in: db)
      guard let vault = try VaultRow.fetch(caller.user, policy, in: db) else {
        return .openedWithoutVault(row.session, try Deletion.last(of: caller.user, in: db))
      }
      return .opened(row.session, vault.state, try Keyring.fetch(caller.user, in: db))
    }
  }

  /// Whether there is such a session, live or ended by a deletion.
  public func hasSession(_ caller: Caller, now: Timestamp) async throws(StoreError) -> Bool {
    try await read { db in
      try db.row(
        """
        SELECT 1 FROM sessions
        WHERE user_id = ? AND session_id = ? AND token_hash = ? AND expires_at > ?
        """, [caller.user, caller.session, caller.tokenHash, now]) != nil
    }
  }

  /// The caller's own session.
  public func session(caller: Caller, now: Timestamp) async throws(StoreError) -> Session {
    try await read(as: caller, now: now) { _, row in row.session }
  }

  /// The caller's live sessions.
  public func sessions(caller: Caller, now: Timestamp) async throws(StoreError) -> [Session] {
    try await read(as: caller, now: now) { db, row in
      try SessionRow.all(of: row.user, now: now, in: db)
    }
  }

  /// Ends one of the caller's sessions.
  public func endSession(_ id: SessionID, caller: Caller, now: Timestamp)
    async throws(StoreError) -> Bool
  {
    let ended = try await write(as: caller, now: now) { db, row in
      try StartOver.cancel(by: id, of: row.user, in: db)
      return try db.run(
        """
        DELETE FROM sessions
        WHERE user_id = ? AND session_id = ? AND ended_generation IS NULL AND expires_at > ?
        """, [row.user, id, now]) > 0
    }
    if ended { signals.moved(caller.user) }
    return ended
  }

  /// Sets or removes the label of one of the caller's sessions.
  public func setLabel(
    _ label: Data?, of id: SessionID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Bool {
    try await write(as: caller, now: now) { db, row in
      if let label, !(1...Limits.labelBytes).contains(label.count) { return false }
      return try db.run(
        """
        UPDATE sessions SET label = nullif(?, x'')
        WHERE user_id = ? AND session_id = ? AND ended_generation IS NULL AND expires_at > ?
        """, [label ?? Data(), row.user, id, now]) > 0
    }
  }
}
