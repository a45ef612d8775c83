// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Migrations
import Synchronization
import VaultProtocol

/// The store on PostgreSQL.
///
/// What is asked often is one round trip: a commit is one call of `vault_commit`, a read is one
/// pipeline whose first statements name the user to row-level security and check the session.
/// What is rare locks the account's row, decides here, and writes in a second round trip.
public final class PostgresStore: VaultStore {
  /// Wakes those who wait for a change, made here or by another process.
  public let signals = HeadSignals()

  let pool: Pool
  let policy: StorePolicy
  let turns = PostgresTurns()
  let commits: PostgresCommitQueue
  let notices: PostgresNotices
  /// Whether a deletion left room to be freed.
  let isVacuumDue = Mutex(false)

  /// Opens the store: brings the schema up to date and begins to listen for changes.
  ///
  /// - Parameters:
  ///   - url: Where the database is, in libpq's words. Its role owns the tables and must not be
  ///     a superuser, who is above row-level security.
  ///   - listenURL: Where notices are said and heard, which takes a session of its own: the server
  ///     itself, where `url` names a PgBouncer. The same as `url` unless given.
  ///   - connections: The most that are opened for requests; two more are for notices.
  ///   - isBehindBouncer: Whether a PgBouncer in transaction mode stands at `url`: then nothing is
  ///     prepared and no session is set up, which the role's own settings must do (operator.md).
  ///   - mustExist: Whether an empty database is refused rather than filled.
  ///   - policy: The operator's settings.
  ///   - now: Written down beside each step of the schema that is taken.
  /// - Throws: ``StoreError/unavailable(_:)``, or ``StoreError/damaged(_:)`` for a schema that is
  ///   not this program's.
  public init(
    url: String, listenURL: String? = nil, connections: Int = 16, isBehindBouncer: Bool = false,
    mustExist: Bool = false, policy: StorePolicy = StorePolicy(), now: Timestamp
  ) async throws(StoreError) {
    var configuration = Configuration(
      url: url, connections: connections, prepares: !isBehindBouncer)
    if !isBehindBouncer { configuration.preamble = Self.preamble }
    let pool = Pool(configuration)
    self.pool = pool
    commits = PostgresCommitQueue(pool, turns)
    self.policy = policy
    var direct = Configuration(url: listenURL ?? url)
    direct.preamble = listenURL == nil ? configuration.preamble : []
    notices = PostgresNotices(direct, signals)
    try await Self.migrate(
      pool, to: Migrations.serverPostgreSQL, mustExist: mustExist, now: now)
    await notices.listen(direct)
  }

  /// Every look-up is by key, in tables whose size the planner may not know yet; a plan is made
  /// once for each connection and holds.
  private static var preamble: [Statement] {
    let unwanted = ["seqscan", "bitmapscan", "hashjoin", "mergejoin"].map { "enable_\($0)" }
    return (unwanted + ["jit"]).map { Statement("SET \($0) = off") }
      + [Statement("SET plan_cache_mode = force_generic_plan")]
  }

  /// Whether the database answers.
  public func ping() async throws(StoreError) {
    _ = try await exchange([])
  }

  /// Waits for what is under way, then lets the database go.
  public func close() async {
    await notices.stop()
    await pool.close()
    signals.finish()
  }
}

// MARK: - Talking to the database

extension PostgresStore {
  /// One round trip that is one transaction.
  func exchange(_ statements: [Statement]) async throws(StoreError) -> [Rows] {
    do throws(PostgresError) {
      return try await pool.pipeline(statements)
    } catch {
      throw StoreError(error)
    }
  }

  /// One round trip that is one transaction and sees one user's rows.
  func exchange(
    of user: UserID, _ statements: [Statement]
  ) async throws(StoreError) -> [Rows] {
    Array(try await exchange([.enter(user)] + statements).dropFirst())
  }

  /// Lends a connection when no other change of the user's that may wait has one.
  private func alone<R>(
    _ user: UserID, _ body: (Connection) async throws(PostgresError) -> R
  ) async throws(PostgresError) -> R {
    try await turns.alone(user) { () async throws(PostgresError) in
      try await pool.withConnection(body)
    }
  }

  /// A transaction of two round trips: what `reading` gives, under its locks, `decide` turns into
  /// an answer and the statements that make it true.
  func transaction<R>(
    of user: UserID, _ reading: [Statement],
    _ decide: ([Rows]) throws(StoreError) -> (R, [Statement])
  ) async throws(StoreError) -> R {
    let decision: Result<R, StoreError>
    do throws(PostgresError) {
      decision = try await alone(user) { (connection) async throws(PostgresError) in
        let rows = try await connection.pipeline([Statement("BEGIN"), .enter(user)] + reading)
        let decision = Result { () throws(StoreError) in try decide(Array(rows.dropFirst(2))) }
        let writing = (try? decision.get().1).map { $0 + [Statement("COMMIT")] }
        // A deletion takes as long as its vault is large; cut off, it would be so at every try.
        try await connection.pipeline(
          writing ?? [Statement("ROLLBACK")], within: .seconds(3_600))
        return decision.map(\.0)
      }
    } catch {
      throw StoreError(error)
    }
    return try decision.get()
  }
}

extension PostgresStore {
  /// As ``transaction(of:_:_:)`` for a caller, whose session is checked under the locks.
  ///
  /// - Throws: ``StoreError/unauthorized``, ``StoreError/gone(_:)``.
  func write<R>(
    as caller: Caller, now: Timestamp, _ reading: [Statement],
    _ decide: (PostgresStanding, [Rows]) throws(StoreError) -> (R, [Statement])
  ) async throws(StoreError) -> R {
    let locks = Statement.lock(caller.user)
    let first =
      locks + [
        PostgresStanding.statement(caller, now: now),
        Deletion.statement(endingSessionOf: caller),
      ]
    return try await transaction(of: caller.user, first + reading) {
      (rows) throws(StoreError) -> (R, [Statement]) in
      let standing = try PostgresStanding(rows[locks.count], policy)
      guard standing.endedGeneration == nil else {
        throw .gone(try Deletion(last: rows[locks.count + 1]))
      }
      let isSlideDue = standing.session.usedAt <= now - policy.sessionSlide
      let (answer, writing) = try decide(standing, Array(rows[first.count...]))
      return (answer, isSlideDue ? [slide(caller, now: now)] + writing : writing)
    }
  }
}

extension Connection {
  /// ``pipeline(_:within:)``, with what failed in the store's words.
  func exchange(_ statements: [Statement]) async throws(StoreError) -> [Rows] {
    do throws(PostgresError) {
      return try await pipeline(statements)
    } catch {
      throw StoreError(error)
    }
  }
}

extension Statement {
  /// Names the user whose rows the transaction may see.
  static func enter(_ user: UserID) -> Statement {
    Statement(
      "SELECT set_config('vault.user', $1::uuid::text, true)", [.id(user)], name: "enter")
  }

  /// Lets the transaction see all users' rows.
  static let enterAsOperator = Statement("SELECT set_config('vault.operator', 'on', true)")

  /// Keeps all other changes of the user's keys, sessions and records out until the end.
  static func lock(_ user: UserID) -> [Statement] {
    ["accounts", "vaults"].map {
      Statement("SELECT 1 FROM \($0) WHERE user_id = $1::uuid FOR UPDATE", [.id(user)])
    }
  }
}
