// SPDX-License-Identifier: Apache-2.0

/// Where the database is, and how long to wait for it.
public struct Configuration: Sendable {
  /// A URL or key-value string of libpq, `sslmode` and the rest included.
  ///
  /// May hold a password: never log it.
  public var url: String
  /// The most connections that a pool opens.
  public var connections: Int
  /// Whether named statements are prepared; off behind PgBouncer before 1.21.
  public var prepares: Bool
  /// The longest that making one connection may take.
  public var connectTimeout: Duration
  /// The longest that a request waits for a connection, its turn and a restart included.
  public var acquireTimeout: Duration
  /// The longest that one pipeline may take; then the server is told to cancel it.
  public var statementTimeout: Duration

  /// The longest that telling the server to cancel may take, its answer included.
  public var cancelTimeout: Duration = .seconds(5)

  /// Run on every new connection, such as `SET jit = off`.
  public var preamble: [Statement]

  /// A configuration.
  public init(
    url: String, connections: Int = 8, prepares: Bool = true,
    connectTimeout: Duration = .seconds(5), acquireTimeout: Duration = .seconds(10),
    statementTimeout: Duration = .seconds(30), preamble: [Statement] = []
  ) {
    precondition(connections > 0, "a pool without connections serves nobody")
    self.url = url
    self.connections = connections
    self.prepares = prepares
    self.connectTimeout = connectTimeout
    self.acquireTimeout = acquireTimeout
    self.statementTimeout = statementTimeout
    self.preamble = preamble
  }
}
