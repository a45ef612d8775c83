// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds the memory that request bodies take together: who comes when it is used up is asked to
/// come again.
///
/// A body is charged for as its bytes arrive: a client that announces much and sends nothing takes
/// nothing.
final class BodyBudget: Sendable {
  private let limit: Int
  private let held = Mutex(0)

  /// A budget of `limit` bytes.
  init(limit: Int) {
    self.limit = limit
  }

  /// One request's part of the budget; nothing yet.
  func share() -> Share { Share(self) }

  /// What one request holds, until ``release()`` or its own end.
  final class Share: Sendable {
    private let budget: BodyBudget
    private let bytes = Mutex(0)

    fileprivate init(_ budget: BodyBudget) {
      self.budget = budget
    }

    deinit { release() }

    /// Takes `count` bytes more.
    ///
    /// - Throws: ``Problem/unavailable`` when they are not there.
    func take(_ count: Int) throws(ProblemResponse) {
      let isThere = budget.held.withLock { held in
        guard held + count <= budget.limit else { return false }
        held += count
        return true
      }
      guard isThere else { throw ProblemResponse(.unavailable, retryAfter: 1) }
      bytes.withLock { $0 += count }
    }

    /// Gives all of it back.
    func release() {
      let count = bytes.withLock { bytes in
        defer { bytes = 0 }
        return bytes
      }
      budget.held.withLock { $0 -= count }
    }
  }
}
