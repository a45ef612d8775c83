// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds how many requests of one user there are at once.
final class UserPlaces: Sendable {
  private let perUser: Int
  private let retryAfter: Int
  private let taken = Mutex<[UserID: Int]>([:])

  /// At most `perUser` for each; the next is told to come again after `retryAfter` seconds.
  init(perUser: Int, retryAfter: Int) {
    self.perUser = perUser
    self.retryAfter = retryAfter
  }

  /// Takes one of the user's places.
  ///
  /// - Throws: ``Problem/tooManyRequests``.
  func take(_ user: UserID) throws(ProblemResponse) -> Place {
    let isIn = taken.withLock { taken in
      guard taken[user, default: 0] < perUser else { return false }
      taken[user, default: 0] += 1
      return true
    }
    guard isIn else { throw ProblemResponse(.tooManyRequests, retryAfter: retryAfter) }
    return Place(self, user)
  }

  private func giveBack(_ user: UserID) {
    taken.withLock { taken in
      let left = taken[user, default: 1] - 1
      taken[user] = left == 0 ? nil : left
    }
  }

  /// One request's place, until ``leave()`` or its own end: that of an answer which is never
  /// written ends with it.
  final class Place: Sendable {
    private let places: UserPlaces
    private let user: UserID
    private let isLeft = Mutex(false)

    fileprivate init(_ places: UserPlaces, _ user: UserID) {
      self.places = places
      self.user = user
    }

    deinit { leave() }

    /// Lets the user's next request in.
    func leave() {
      let isFirst = isLeft.withLock { isLeft in
        defer { isLeft = true }
        return !isLeft
      }
      if isFirst { places.giveBack(user) }
    }
  }
}
