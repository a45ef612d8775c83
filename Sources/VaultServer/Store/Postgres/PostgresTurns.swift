// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Lets each user's changes that may have to wait for his vault's lock go one after the other: who
/// would wait for the lock waits here, without a connection, which are everybody's.
final class PostgresTurns: Sendable {
  /// The users with somebody at it, and those who wait for that, in order of arrival.
  private let waiting = Mutex<[UserID: [CheckedContinuation<Void, Never>]]>([:])

  /// Runs `body` when nobody else's for this user runs.
  func alone<R, E: Error>(
    _ user: UserID, _ body: () async throws(E) -> R
  ) async throws(E) -> R {
    await withCheckedContinuation { continuation in
      let isFirst = waiting.withLock { waiting in
        guard waiting[user] == nil else {
          waiting[user]?.append(continuation)
          return false
        }
        waiting[user] = []
        return true
      }
      if isFirst { continuation.resume() }
    }
    defer { next(user) }
    return try await body()
  }

  private func next(_ user: UserID) {
    let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
      guard waiting[user]?.isEmpty == false else {
        waiting[user] = nil
        return nil
      }
      return waiting[user]?.removeFirst()
    }
    next?.resume()
  }
}
