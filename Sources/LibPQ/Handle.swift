// SPDX-License-Identifier: Apache-2.0
import CPQ

/// Owns a `PGconn`; each function is one call of libpq, none of them waits for the server.
///
/// `@unchecked Sendable`: libpq allows one thread at a time, and so it is: the ``Connection``
/// that holds it is an actor, and while a connection is being made, its maker awaits each
/// step. ``cancelStatement()`` alone may run beside them; `PQcancel` is documented for that.
@safe
final class Handle: @unchecked Sendable {
  private let base: OpaquePointer
  private let canceller = Canceller()

  /// Begins to connect; may look up a name and so may block.
  ///
  /// - Throws: ``PostgresError/unavailable(reason:)`` for a URL that libpq cannot read. libpq's
  ///   own words would quote it, password included.
  init(url: String) throws(PostgresError) {
    guard Handle.isReadable(url), let base = unsafe Handle.start(url) else {
      throw .unavailable(reason: "the database URL cannot be read")
    }
    unsafe self.base = base
    // Without this libpq prints what the server remarks to standard error.
    unsafe PQsetNoticeProcessor(base, { _, _ in }, nil)
  }

  deinit {
    unsafe PQfinish(base)
  }

  private static func isReadable(_ url: String) -> Bool {
    let options = unsafe PQconninfoParse(url, nil)
    defer { unsafe PQconninfoFree(options) }
    return unsafe options != nil
  }

  private static func start(_ url: String) -> OpaquePointer? {
    let settings = [
      ("dbname", url), ("client_encoding", "UTF8"), ("fallback_application_name", "vaultd"),
    ]
    return unsafe withCStrings(settings.map(\.0)) { keys in
      unsafe withCStrings(settings.map(\.1)) { values in
        unsafe PQconnectStartParams(keys, values, 1)
      }
    }
  }

  // MARK: Connecting

  /// What connecting waits for next.
  enum Progress {
    case reading
    case writing
    case done
    case failed
  }

  /// Takes the next step of connecting; may look up a name and so may block.
  func connect() -> Progress {
    switch unsafe PQconnectPoll(base) {
    case PGRES_POLLING_READING: .reading
    case PGRES_POLLING_WRITING: .writing
    case PGRES_POLLING_OK: .done
    default: .failed
    }
  }

  /// Makes a connection that was just made ready for pipelines.
  func enterPipelineMode() -> Bool {
    unsafe canceller.prepare(base)
    return unsafe PQsetnonblocking(base, 1) == 0 && PQenterPipelineMode(base) == 1
  }

  /// Leaves pipeline mode, for ``send(script:)``.
  func exitPipelineMode() -> Bool { unsafe PQexitPipelineMode(base) == 1 }

  /// Whether the connection stands, as far as libpq has seen.
  var isAlive: Bool { unsafe PQstatus(base) == CONNECTION_OK }

  /// Whether no transaction is open and no statement under way.
  var isIdle: Bool { unsafe PQtransactionStatus(base) == PQTRANS_IDLE }

  /// The socket, or -1 once libpq has closed it.
  var socket: Int32 { unsafe PQsocket(base) }

  /// The first line of libpq's message about a failed connection.
  var reason: String {
    guard let message = unsafe PQerrorMessage(base) else { return "unknown" }
    let text = unsafe String(cString: message)
    return String(text.prefix { !$0.isNewline })
  }

  // MARK: Sending; false when the connection is broken

  /// Queues the preparation of a statement.
  func prepare(_ name: String, _ statement: Statement) -> Bool {
    let types = statement.values.map(\.type)
    return unsafe PQsendPrepare(base, name, statement.text, Int32(types.count), types) == 1
  }

  /// Queues the execution of a statement, prepared earlier as `name` or parsed now.
  func execute(_ statement: Statement, prepared name: String?) -> Bool {
    let count = Int32(statement.values.count)
    let lengths = statement.values.map { Int32($0.bytes?.count ?? 0) }
    let binary = [Int32](repeating: 1, count: statement.values.count)
    return unsafe withBytes(of: statement.values[...]) { values in
      if let name {
        unsafe PQsendQueryPrepared(base, name, count, values, lengths, binary, 1) == 1
      } else {
        unsafe PQsendQueryParams(
          base, statement.text, count, statement.values.map(\.type), values, lengths, binary, 1)
          == 1
      }
    }
  }

  /// Ends a pipeline: what was queued since the last sync is one transaction.
  func sync() -> Bool { unsafe PQpipelineSync(base) == 1 }

  /// Queues a script of several statements, outside pipeline mode.
  func send(script: String) -> Bool { unsafe PQsendQuery(base, script) == 1 }

  /// Writes what is queued: 0 done, 1 the socket takes no more now, -1 broken.
  func flush() -> Int32 { unsafe PQflush(base) }

  // MARK: Receiving

  /// Reads what the socket has; false when the connection is broken.
  func consume() -> Bool { unsafe PQconsumeInput(base) == 1 && isAlive }

  /// Whether ``next()`` would have to wait.
  var isBusy: Bool { unsafe PQisBusy(base) == 1 }

  /// The next result, or nil after a statement's last.
  func next() -> Answer? {
    precondition(!isBusy, "PQgetResult would block")
    return unsafe PQgetResult(base).map { unsafe Answer(taking: $0) }
  }

  /// The next notification that was read.
  func notification() -> Notification? {
    guard let notify = unsafe PQnotifies(base) else { return nil }
    defer { unsafe PQfreemem(notify) }
    return unsafe Notification(
      channel: String(cString: notify.pointee.relname),
      payload: String(cString: notify.pointee.extra))
  }

  /// Asks the server to cancel what runs, over a connection of its own; blocks.
  func cancelStatement() { canceller.cancel() }
}

/// Owns a `PGcancel`: what a second connection must say to cancel the first one's statement.
///
/// `@unchecked Sendable`: set once, before the connection is shared; `PQcancel` may be called
/// from any thread.
@safe
private final class Canceller: @unchecked Sendable {
  private var base: OpaquePointer?

  func prepare(_ connection: OpaquePointer) {
    unsafe base = PQgetCancel(connection)
  }

  func cancel() {
    guard let base = unsafe base else { return }
    // The message that libpq would write here is of no use: the statement's end tells.
    var message = [CChar](repeating: 0, count: 256)
    _ = unsafe PQcancel(base, &message, Int32(message.count))
  }

  deinit {
    unsafe PQfreeCancel(base)
  }
}
