// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Synchronization
import VaultProtocol

/// Tells other processes whose vault changed, and hears it from them.
///
/// Not with NOTIFY in the commit's own transaction: PostgreSQL lets transactions that notify
/// commit one at a time, each with an fsync of its own. So this says it right after, for all who
/// changed meanwhile at once. A process that dies in between leaves waiters elsewhere to the end
/// of their wait.
final class PostgresNotices: Sendable {
  private static let channel = "vault_moved"
  /// Users in one notification, of which 8,000 bytes are allowed.
  private static let batch = 200
  /// The least time from one notification to the next.
  private static let pause = Duration.milliseconds(5)

  private struct State {
    var moved: Set<UserID> = []
    var isSending = false
    var listening: Task<Void, Never>?
  }

  private let signals: HeadSignals
  private let sender: Pool
  /// Stands before what this process says, so that it does not listen to itself.
  private let origin = UUID().uuidString
  private let state = Mutex(State())

  /// Says and hears over two connections of its own: a notice does not wait for commits.
  init(_ configuration: Configuration, _ signals: HeadSignals) {
    var configuration = configuration
    configuration.connections = 1
    sender = Pool(configuration)
    self.signals = signals
  }

  /// Wakes those who wait here, then those who wait elsewhere.
  func moved(_ user: UserID) {
    signals.moved(user)
    let begins = state.withLock { state in
      state.moved.insert(user)
      defer { state.isSending = true }
      return !state.isSending
    }
    if begins { Task { await send() } }
  }

  private func send() async {
    while true {
      let users = state.withLock { state -> [UserID] in
        let users = Array(state.moved.prefix(Self.batch))
        state.moved.subtract(users)
        state.isSending = !users.isEmpty
        return users
      }
      if users.isEmpty { return }
      let payload = ([origin] + users.map(\.description)).joined(separator: " ")
      // Where the database is away, nobody else changes anything either.
      _ = try? await sender.run(
        Statement(
          "SELECT pg_notify($1::text, $2::text)", [.text(Self.channel), .text(payload)],
          name: "notify"))
      try? await Task.sleep(for: Self.pause)
    }
  }

  /// Listens from now on, until ``stop()``.
  func listen(_ configuration: Configuration) async {
    let events = Listener(configuration, channels: [Self.channel]).events()
    let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      var isFirst = true
      for await event in events {
        // Nobody waits before the first event; after an interruption something may be missed.
        if case .listening = event, !isFirst { signals.movedAll() }
        if case .notified(let notification) = event { hear(notification.payload) }
        isFirst = false
        isReady.finish()
      }
    }
    state.withLock { $0.listening = task }
    for await _ in ready {}
  }

  private func hear(_ payload: String) {
    let words = payload.split(separator: " ")
    guard let from = words.first, from != origin else { return }
    for word in words.dropFirst() {
      if let bytes = Hex.decode(word), let user = UserID(bytes) { signals.moved(user) }
    }
  }

  func stop() async {
    state.withLock { $0.listening }?.cancel()
    await sender.close()
  }
}
