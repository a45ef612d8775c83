// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds the memory that request bodies take together: who comes when it is used up is asked to
/// come again, before a byte of the body was read.
final class BodyBudget: Sendable {
  private let limit: Int
  private let held = Mutex(0)

  /// A budget of `limit` bytes.
  init(limit: Int) {
    self.limit = limit
  }

  /// Runs `body` while `bytes` of the budget are taken.
  ///
  /// - Throws: ``Problem/unavailable`` when they are not there; what `body` throws.
  func holding<R>(_ bytes: Int, _ body: () async throws -> R) async throws -> R {
    let taken = held.withLock { held in
      guard held + bytes <= limit else { return false }
      held += bytes
      return true
    }
    guard taken else { throw ProblemResponse(.unavailable, retryAfter: 1) }
    defer { held.withLock { $0 -= bytes } }
    return try await body()
  }
}
