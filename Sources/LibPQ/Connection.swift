// SPDX-License-Identifier: Apache-2.0
import CPQ

/// One connection to PostgreSQL, in pipeline mode; one request at a time.
///
/// Its caller's task sends and decodes; in between it is suspended until the socket is ready.
public actor Connection {
  private let handle: Handle
  private let configuration: Configuration
  private var prepared: Set<String> = []
  private var isBroken = false
  private var isInUse = false

  /// Connects.
  ///
  /// - Throws: ``PostgresError/unavailable(reason:)``, ``PostgresError/cancelled``; for the
  ///   preamble as ``pipeline(_:within:)``.
  public init(_ configuration: Configuration) async throws(PostgresError) {
    handle = try await Connection.connect(configuration)
    self.configuration = configuration
    guard !configuration.preamble.isEmpty else { return }
    try await pipeline(configuration.preamble)
  }

  private static func connect(
    _ configuration: Configuration
  ) async throws(PostgresError) -> Handle {
    let deadline = ContinuousClock.now + configuration.connectTimeout
    let url = configuration.url
    let handle = try await Blocking.run {
      Swift.Result { () throws(PostgresError) in try Handle(url: url) }
    }.get()
    // libpq wants the first step to wait as if the last had said "writing".
    var progress = Handle.Progress.writing
    while progress == .reading || progress == .writing {
      guard handle.socket >= 0 else { throw .unavailable(reason: handle.reason) }
      let interest: Poller.Interest = progress == .reading ? .readable : .writable
      switch await Poller.shared.wait(handle.socket, for: interest, until: deadline) {
      case .ready: progress = await Blocking.run { handle.connect() }
      case .timedOut: throw .unavailable(reason: "no connection within the time allowed")
      case .cancelled: throw .cancelled
      }
    }
    guard progress == .done, handle.enterPipelineMode() else {
      throw .unavailable(reason: handle.reason)
    }
    return handle
  }

  /// Whether the pool may lend it again: standing, and no transaction left open.
  var isReusable: Bool { !isBroken && !isInUse && handle.isAlive && handle.isIdle }

  /// Whether it still stands, after a look at what the server may have sent meanwhile.
  func probe() -> Bool {
    // Twice: a server that ended the session sent its reason first, then the end.
    guard !isBroken, handle.consume(), handle.consume() else {
      isBroken = true
      return false
    }
    return true
  }

  /// Runs `statements` in one round trip, as one transaction: all of them or none.
  ///
  /// Inside a transaction that an earlier pipeline began they are part of that one. Without
  /// statements it is a round trip that shows the server to be there.
  ///
  /// - Parameters:
  ///   - statements: Run in order; a later one sees what an earlier one did.
  ///   - limit: Replaces the configuration's `statementTimeout`.
  /// - Returns: The rows of each statement, in order.
  /// - Throws: ``PostgresError/refused(sqlState:constraint:statement:)`` for the first that
  ///   the server refused, ``PostgresError/timedOut``, ``PostgresError/cancelled``,
  ///   ``PostgresError/connectionLost``.
  @discardableResult
  public func pipeline(
    _ statements: [Statement], within limit: Duration? = nil
  ) async throws(PostgresError) -> [Rows] {
    var exchange = try begin(within: limit)
    defer { isInUse = false }
    let steps = try send(statements)
    try await flush(&exchange)
    var results: [Rows] = []
    results.reserveCapacity(statements.count)
    var failure: PostgresError?
    for step in steps {
      guard let answer = try await next(&exchange) else { throw lose() }
      switch (answer.status, step) {
      case (PGRES_COMMAND_OK, .prepare(let name, _)): prepared.insert(name)
      case (PGRES_COMMAND_OK, .execute), (PGRES_TUPLES_OK, .execute): results.append(Rows(answer))
      case (PGRES_FATAL_ERROR, _):
        failure = failure ?? refusal(answer, at: step)
      case (PGRES_PIPELINE_ABORTED, _): break
      default: throw lose()
      }
      guard try await next(&exchange) == nil else { throw lose() }
    }
    guard try await next(&exchange)?.status == PGRES_PIPELINE_SYNC else { throw lose() }
    if let failure { throw exchange.reason(for: failure) }
    return results
  }

  /// Runs one statement in one round trip.
  ///
  /// - Throws: As ``pipeline(_:within:)``.
  @discardableResult
  public func run(
    _ statement: Statement, within limit: Duration? = nil
  ) async throws(PostgresError) -> Rows {
    guard let rows = try await pipeline([statement], within: limit).first else { throw lose() }
    return rows
  }

  /// Runs a script of several statements without parameters, such as a migration.
  ///
  /// One transaction, unless the script holds its own `BEGIN` and `COMMIT`.
  ///
  /// - Throws: As ``pipeline(_:within:)``.
  public func script(
    _ text: String, within limit: Duration? = nil
  ) async throws(PostgresError) {
    var exchange = try begin(within: limit)
    defer { isInUse = false }
    guard handle.exitPipelineMode(), handle.send(script: text) else { throw lose() }
    try await flush(&exchange)
    var failure: PostgresError?
    while let answer = try await next(&exchange) {
      switch answer.status {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
      case PGRES_FATAL_ERROR:
        failure =
          failure
          ?? .refused(sqlState: answer.sqlState, constraint: answer.constraint, statement: 0)
      default: throw lose()
      }
    }
    guard handle.enterPipelineMode() else { throw lose() }
    if let failure { throw exchange.reason(for: failure) }
  }

  /// Waits for a notification of a channel that this connection listens to; nil at `deadline`.
  func notification(
    until deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> Notification? {
    while true {
      if let notification = handle.notification() { return notification }
      switch await Poller.shared.wait(handle.socket, for: .readable, until: deadline) {
      case .ready: guard handle.consume() else { throw lose() }
      case .timedOut: return nil
      case .cancelled: throw .cancelled
      }
    }
  }
}

// MARK: - One exchange with the server

extension Connection {
  /// What libpq will answer to, in order.
  private enum Step {
    case prepare(String, for: Int)
    case execute(Int)
  }

  /// How long to go on, and why the statement was told to stop, if it was.
  private struct Exchange {
    var deadline: ContinuousClock.Instant
    var stop: PostgresError?

    /// A refusal that we asked for ourselves (57014, query canceled) has our own reason.
    func reason(for failure: PostgresError) -> PostgresError {
      guard let stop, failure.sqlState == "57014" else { return failure }
      return stop
    }
  }

  private func begin(within limit: Duration?) throws(PostgresError) -> Exchange {
    precondition(!isInUse, "a connection serves one request at a time")
    guard !isBroken else { throw .connectionLost }
    guard !Task.isCancelled else { throw .cancelled }
    isInUse = true
    return Exchange(deadline: .now + (limit ?? configuration.statementTimeout))
  }

  private func send(_ statements: [Statement]) throws(PostgresError) -> [Step] {
    var steps: [Step] = []
    var preparing: Set<String> = []
    for (index, statement) in statements.enumerated() {
      let name = configuration.prepares ? statement.name : nil
      if let name, !prepared.contains(name), preparing.insert(name).inserted {
        guard handle.prepare(name, statement) else { throw lose() }
        steps.append(.prepare(name, for: index))
      }
      guard handle.execute(statement, prepared: name) else { throw lose() }
      steps.append(.execute(index))
    }
    guard handle.sync() else { throw lose() }
    return steps
  }

  /// Writes all that is queued, reading meanwhile: a server that cannot write does not read.
  private func flush(_ exchange: inout Exchange) async throws(PostgresError) {
    while true {
      let left = handle.flush()
      if left == 0 { return }
      guard left == 1 else { throw lose() }
      let outcome = await Poller.shared.wait(
        handle.socket, for: .readableOrWritable, until: exchange.deadline)
      // Without its sync the server does nothing of it for good: hanging up undoes all.
      switch outcome {
      case .ready: guard handle.consume() else { throw lose() }
      case .timedOut: throw lose(.timedOut)
      case .cancelled: throw lose(.cancelled)
      }
    }
  }

  /// The next result, awaited; nil after a statement's last.
  private func next(_ exchange: inout Exchange) async throws(PostgresError) -> Answer? {
    while handle.isBusy {
      let outcome = await Poller.shared.wait(
        handle.socket, for: .readable, until: exchange.deadline,
        cancellable: exchange.stop == nil)
      switch (outcome, exchange.stop) {
      case (.ready, _): guard handle.consume() else { throw lose() }
      case (_, .some(let stop)): throw lose(stop)
      case (.timedOut, nil): await stop(&exchange, .timedOut)
      case (.cancelled, nil): await stop(&exchange, .cancelled)
      }
    }
    return handle.next()
  }

  /// Tells the server to cancel, and gives it a while to say how the statement ended.
  ///
  /// So the connection stays in use. What was done before the order came is done. An order that
  /// does not get through in time might meet the next statement: then the connection is not.
  private func stop(_ exchange: inout Exchange, _ reason: PostgresError) async {
    exchange.stop = reason
    exchange.deadline = .now + configuration.cancelTimeout
    let handle = handle
    let isThrough = await Blocking.run(within: configuration.cancelTimeout) {
      handle.cancelStatement()
    }
    if !isThrough { isBroken = true }
  }

  private func refusal(_ answer: Answer, at step: Step) -> PostgresError {
    let sqlState = answer.sqlState
    // A prepared statement that the server no longer has, or whose result a migration
    // changed: a new connection prepares anew.
    if sqlState == "26000" || sqlState == "0A000" { isBroken = true }
    let statement =
      switch step {
      case .execute(let index), .prepare(_, for: let index): index
      }
    return .refused(sqlState: sqlState, constraint: answer.constraint, statement: statement)
  }

  /// Marks the connection as not to be used again.
  private func lose(_ reason: PostgresError = .connectionLost) -> PostgresError {
    isBroken = true
    return reason
  }
}
