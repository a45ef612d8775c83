// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VaultProtocol

/// Bounds guessing: every evaluation of a name's OPRF key takes a token of the name and one of the
/// address; a login or registration that came to its end gives them back, once.
///
/// The buckets are this process's own: with n processes on one database an attacker who reaches all
/// of them has n times the tries. Memory is bounded whatever is tried.
final class LoginLimiter: Sendable {
  /// What will end an attempt well.
  enum Attempt: Hashable, Sendable {
    /// A session of this number.
    case login(SessionID)
    /// An account of this name.
    case registration(NameKey)
    /// A recovery slot handed out for this nonce.
    case recovery(Nonce)
  }

  private struct Pending {
    var name: NameKey
    var address: String
    var ends: Timestamp
  }

  private struct State {
    var names: TokenBuckets
    var addresses: TokenBuckets
    var pending: [Attempt: Pending] = [:]
  }

  private static let pendingLimit = 65_536
  private let state: Mutex<State>

  init(names: TokenBuckets.Rate, addresses: TokenBuckets.Rate) {
    state = Mutex(State(names: TokenBuckets(names), addresses: TokenBuckets(addresses)))
  }

  /// Takes both tokens for an attempt that may end well until `ends`.
  ///
  /// - Throws: ``Problem/tooManyRequests`` with the seconds to wait.
  func begin(
    _ attempt: Attempt, name: NameKey, address: String, now: Timestamp, ends: Timestamp
  ) throws(ProblemResponse) {
    let wait = state.withLock { state -> Int? in
      if let wait = state.addresses.take(address, now: now) { return wait }
      if let wait = state.names.take(name, now: now) {
        state.addresses.giveBack(address)
        return wait
      }
      if state.pending.count >= Self.pendingLimit {
        state.pending = state.pending.filter { $0.value.ends > now }
      }
      if state.pending.count < Self.pendingLimit {
        state.pending[attempt] = Pending(name: name, address: address, ends: ends)
      }
      return nil
    }
    if let wait { throw ProblemResponse(.tooManyRequests, retryAfter: wait) }
  }

  /// Takes a token of the address alone, for a new account.
  ///
  /// - Throws: ``Problem/tooManyRequests`` with the seconds to wait.
  func count(address: String, now: Timestamp) throws(ProblemResponse) {
    if let wait = state.withLock({ $0.addresses.take(address, now: now) }) {
      throw ProblemResponse(.tooManyRequests, retryAfter: wait)
    }
  }

  /// Gives the tokens of `attempt` back, the first time that it ends well, or could not be made.
  func giveBack(_ attempt: Attempt) {
    state.withLock { state in
      guard let pending = state.pending.removeValue(forKey: attempt) else { return }
      state.names.giveBack(pending.name)
      state.addresses.giveBack(pending.address)
    }
  }
}
