// SPDX-License-Identifier: Apache-2.0

/// Hears what is notified on channels, over one connection of its own.
///
/// Connects again, with growing pauses, for as long as its stream is read. PostgreSQL keeps
/// nothing for a listener that is away: at each ``Event/listening`` look for yourself once.
public struct Listener: Sendable {
  /// What a listener tells.
  public enum Event: Sendable, Equatable {
    /// From now on nothing is missed; what was notified before may have been.
    case listening
    /// The connection is gone; the listener goes on trying.
    case interrupted(PostgresError)
    /// Something was notified.
    case notified(Notification)
  }

  private let configuration: Configuration
  private let channels: [String]

  /// A listener to `channels`.
  ///
  /// LISTEN needs a session of its own: give it the server's URL, not that of a PgBouncer in
  /// transaction mode.
  public init(_ configuration: Configuration, channels: [String]) {
    self.configuration = configuration
    self.channels = channels
  }

  /// Connects and listens until the stream is no longer read.
  public func events() -> AsyncStream<Event> {
    AsyncStream { continuation in
      let task = Task {
        await run(continuation)
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func run(_ events: AsyncStream<Event>.Continuation) async {
    var backoff = Backoff()
    while !Task.isCancelled {
      do throws(PostgresError) {
        let connection = try await Connection(configuration)
        try await connection.pipeline(
          channels.map { Statement("LISTEN \(Listener.quoted($0))") })
        backoff.succeeded()
        events.yield(.listening)
        try await hear(connection, events)
      } catch {
        guard error != .cancelled else { return }
        events.yield(.interrupted(error))
        backoff.failed(error, at: .now)
        guard let pause = backoff.pause(at: .now) else { continue }
        try? await Task.sleep(until: pause.until)
      }
    }
  }

  private func hear(
    _ connection: Connection, _ events: AsyncStream<Event>.Continuation
  ) async throws(PostgresError) {
    while true {
      if let notification = try await connection.notification(until: .now + .seconds(30)) {
        events.yield(.notified(notification))
      } else {
        // Half a minute of silence: is anyone there?
        _ = try await connection.pipeline([])
      }
    }
  }

  private static func quoted(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
