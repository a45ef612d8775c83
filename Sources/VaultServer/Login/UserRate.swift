// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds how often each user may do something, by token buckets of this process.
final class UserRate: Sendable {
  private let buckets: Mutex<TokenBuckets>

  init(_ rate: TokenBuckets.Rate) {
    buckets = Mutex(TokenBuckets(rate))
  }

  /// Takes a token of the user's.
  ///
  /// - Throws: ``Problem/tooManyRequests`` with the seconds to wait.
  func take(_ user: UserID, now: Timestamp) throws(ProblemResponse) {
    if let wait = buckets.withLock({ $0.take(user, now: now) }) {
      throw ProblemResponse(.tooManyRequests, retryAfter: wait)
    }
  }
}
