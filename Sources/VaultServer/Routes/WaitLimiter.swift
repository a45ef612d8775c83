// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds how many requests of one user wait at once.
final class WaitLimiter: Sendable {
  private let perUser: Int
  private let waiting = Mutex<[UserID: Int]>([:])

  /// At most `perUser` for each.
  init(perUser: Int) {
    self.perUser = perUser
  }

  /// Runs `body` as one of the user's waiting requests.
  ///
  /// - Throws: ``Problem/tooManyRequests``; what `body` throws.
  func counted<R>(_ user: UserID, _ body: () async throws -> R) async throws -> R {
    let isIn = waiting.withLock { waiting in
      guard waiting[user, default: 0] < perUser else { return false }
      waiting[user, default: 0] += 1
      return true
    }
    guard isIn else { throw ProblemResponse(.tooManyRequests, retryAfter: 5) }
    defer {
      waiting.withLock { waiting in
        let left = waiting[user, default: 1] - 1
        waiting[user] = left == 0 ? nil : left
      }
    }
    return try await body()
  }
}
