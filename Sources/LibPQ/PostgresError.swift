// SPDX-License-Identifier: Apache-2.0

/// Why something asked of PostgreSQL did not happen.
///
/// Holds codes and names of the schema only. The server's own message, detail and hint can
/// quote a row's values, so none of them gets this far.
public enum PostgresError: Error, Equatable, Sendable {
  /// The server refused a statement; nothing of its pipeline was done.
  ///
  /// `sqlState` is the five characters of PostgreSQL's Appendix A, `constraint` the violated
  /// constraint's name, `statement` the index in the pipeline.
  case refused(sqlState: String, constraint: String?, statement: Int)
  /// No connection could be made; `reason` is libpq's first line, for the operator's log.
  case unavailable(reason: String)
  /// The connection broke with the pipeline under way: it was done as a whole or not at all.
  case connectionLost
  /// Too slow; the server was told to cancel. Done as a whole or not at all.
  case timedOut
  /// The task was cancelled. What was under way was done as a whole or not at all.
  case cancelled
  /// The pool or the connection was closed before the request.
  case closed
  /// The column is not there, is NULL, or is of another type than asked for.
  case mistyped(column: Int)
}

extension PostgresError {
  /// The SQLSTATE, where the server answered with one.
  public var sqlState: String? {
    guard case .refused(let sqlState, _, _) = self else { return nil }
    return sqlState
  }
}
