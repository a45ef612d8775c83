// SPDX-License-Identifier: Apache-2.0
import Synchronization
public import VaultProtocol

/// Wakes those who wait for a vault to change.
///
/// A waiter is one continuation in a table: no thread, no connection. To miss nothing, subscribe
/// first, then read the feed, then wait:
///
/// ```swift
/// let moves = store.signals.moves(of: user)
/// var page = try await store.changes(request, caller: caller, now: now)
/// // …nothing new: race `moves.first(where: { _ in true })` against the timeout, then read again
/// ```
public final class HeadSignals: Sendable {
  private struct Waiters {
    var nextKey: UInt64 = 0
    var byUser: [UserID: [UInt64: AsyncStream<Void>.Continuation]] = [:]
  }

  private let waiters = Mutex(Waiters())

  /// Nobody waits yet.
  public init() {}

  /// One element for each change since the call, where several not yet taken count as one.
  ///
  /// Ends when the store closes. Dropping the stream, or cancelling its task, unsubscribes.
  public func moves(of user: UserID) -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let key = waiters.withLock { waiters in
      waiters.nextKey += 1
      waiters.byUser[user, default: [:]][waiters.nextKey] = continuation
      return waiters.nextKey
    }
    continuation.onTermination = { [weak self] _ in self?.remove(key, of: user) }
    return stream
  }

  /// Wakes all who wait for `user`: a head moved, the vault was deleted or sessions ended.
  func moved(_ user: UserID) {
    let woken = waiters.withLock { $0.byUser[user].map { Array($0.values) } ?? [] }
    for continuation in woken { continuation.yield() }
  }

  /// Wakes everybody, for when signals may have been lost.
  func movedAll() {
    let woken = waiters.withLock { $0.byUser.values.flatMap(\.values) }
    for continuation in woken { continuation.yield() }
  }

  /// Ends all streams.
  func finish() {
    let ended = waiters.withLock { waiters in
      defer { waiters.byUser = [:] }
      return waiters.byUser.values.flatMap(\.values)
    }
    for continuation in ended { continuation.finish() }
  }

  private func remove(_ key: UInt64, of user: UserID) {
    waiters.withLock { waiters in
      waiters.byUser[user]?[key] = nil
      if waiters.byUser[user]?.isEmpty == true { waiters.byUser[user] = nil }
    }
  }
}
