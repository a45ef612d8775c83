// SPDX-License-Identifier: Apache-2.0
private import Synchronization

/// Connections, bounded in number, lent to one request each in order of arrival.
///
/// Nothing runs in the background: a connection is made by the request that needs it, and one
/// that broke is dropped when it comes back. While the server is away, attempts are spaced out.
public final class Pool: Sendable {
  private let configuration: Configuration
  private let turns: Turns
  private let state = Mutex(State())

  private struct State {
    /// Back from their last request, the latest at the end: it is lent next, still warm.
    var idle: [Connection] = []
    var backoff = Backoff()
    var isClosed = false
  }

  /// A pool that has no connection yet; the first requests make them.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    turns = Turns(count: configuration.connections)
  }

  /// Lends a connection to `body`, for as long as that runs.
  ///
  /// A transaction that `body` leaves open is rolled back, at the price of the connection.
  ///
  /// - Throws: What `body` throws, and ``PostgresError/unavailable(reason:)`` or
  ///   ``PostgresError/timedOut`` when no connection was to be had within `acquireTimeout`,
  ///   ``PostgresError/cancelled``, ``PostgresError/closed``.
  @discardableResult
  public func withConnection<R>(
    _ body: (Connection) async throws(PostgresError) -> R
  ) async throws(PostgresError) -> R {
    let deadline = ContinuousClock.now + configuration.acquireTimeout
    try await turns.take(until: deadline)
    defer { turns.giveBack() }
    let connection = try await take(until: deadline)
    do {
      let result = try await body(connection)
      await putBack(connection)
      return result
    } catch {
      await putBack(connection)
      throw error
    }
  }

  /// Runs `statements` on any connection, in one round trip and one transaction.
  ///
  /// - Throws: As ``withConnection(_:)`` and ``Connection/pipeline(_:within:)``.
  @discardableResult
  public func pipeline(
    _ statements: [Statement], within limit: Duration? = nil
  ) async throws(PostgresError) -> [Rows] {
    try await withConnection { (connection) async throws(PostgresError) in
      try await connection.pipeline(statements, within: limit)
    }
  }

  /// Runs one statement on any connection, in one round trip.
  ///
  /// - Throws: As ``pipeline(_:within:)``.
  @discardableResult
  public func run(
    _ statement: Statement, within limit: Duration? = nil
  ) async throws(PostgresError) -> Rows {
    try await withConnection { (connection) async throws(PostgresError) in
      try await connection.run(statement, within: limit)
    }
  }

  /// Refuses further requests, and waits for those under way; then all connections are closed.
  public func close() async {
    state.withLock { $0.isClosed = true }
    for _ in 0..<configuration.connections { await turns.takeAtLast() }
    state.withLock { $0.idle = [] }
    for _ in 0..<configuration.connections { turns.giveBack() }
  }

  /// The connections that wait to be lent, for tests and metrics.
  public var idleCount: Int { state.withLock { $0.idle.count } }

  /// The requests that wait for a connection, for tests and metrics.
  public var waitingCount: Int { turns.waitingCount }

  private func take(
    until deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> Connection {
    while true {
      let (connection, isClosed) = state.withLock { ($0.idle.popLast(), $0.isClosed) }
      guard !isClosed else { throw .closed }
      guard let connection else { return try await connect(until: deadline) }
      if await connection.probe() { return connection }
    }
  }

  private func connect(
    until deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> Connection {
    while true {
      let pause = state.withLock { $0.backoff.pause(at: .now) }
      if let pause {
        guard pause.until < deadline else { throw pause.error }
        do { try await Task.sleep(until: pause.until) } catch { throw .cancelled }
      }
      do {
        let connection = try await Connection(configuration)
        state.withLock { $0.backoff.succeeded() }
        return connection
      } catch .unavailable(let reason) {
        state.withLock { $0.backoff.failed(.unavailable(reason: reason), at: .now) }
      }
    }
  }

  private func putBack(_ connection: Connection) async {
    guard await connection.isReusable else { return }
    state.withLock { $0.idle.append(connection) }
  }
}

/// When the next attempt to connect may be made.
struct Backoff {
  private var failures = 0
  private var last: (until: ContinuousClock.Instant, error: PostgresError)?

  /// What to wait for before the next attempt, and the error to report instead of waiting.
  func pause(
    at now: ContinuousClock.Instant
  ) -> (until: ContinuousClock.Instant, error: PostgresError)? {
    last.flatMap { now < $0.until ? $0 : nil }
  }

  mutating func succeeded() { self = Backoff() }

  /// Waits 20 ms after the first failure, twice that after the next, up to about 5 s; a
  /// quarter more or less, so that processes do not come back in step.
  mutating func failed(_ error: PostgresError, at now: ContinuousClock.Instant) {
    // Those who failed together in one attempt count once.
    guard pause(at: now) == nil else { return }
    let pause = Duration.milliseconds(20) * (1 << min(failures, 8))
    failures += 1
    last = (now + pause * Double.random(in: 0.75...1.25), error)
  }
}
