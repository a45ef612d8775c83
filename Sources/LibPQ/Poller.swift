// SPDX-License-Identifier: Apache-2.0
private import Dispatch
private import Synchronization

/// Waits for sockets: one thread and one epoll for all connections of the process.
///
/// A waiting request costs an entry in a table, never a thread. Sockets are armed for one event
/// (`EPOLLONESHOT`) and under a number that is used once, so that an event which arrives after
/// its waiter has gone finds nobody. A closed socket leaves the epoll by itself.
final class Poller: Sendable {
  /// The process's one; its thread starts with the first connection.
  static let shared = Poller()

  /// What to wait for.
  enum Interest {
    case readable
    case readableOrWritable
    case writable
  }

  /// How a wait ended.
  enum Outcome {
    case ready
    case timedOut
    case cancelled
  }

  private struct Waiter {
    let continuation: CheckedContinuation<Outcome, Never>
    let deadline: ContinuousClock.Instant
  }

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    var lastID: UInt64 = 0
    /// No deadline lies before this; the thread sleeps until then at most.
    var wakeAt: ContinuousClock.Instant?
  }

  private let epoll = Epoll()
  private let state = Mutex(State())

  private init() {
    let thread = DispatchQueue(label: "postgres.poller")
    thread.async { self.run() }
  }

  /// Waits until `socket` is ready, `deadline` has passed or, if `cancellable`, the task is
  /// cancelled.
  ///
  /// A socket that epoll refuses counts as ready: the next call on it tells what is wrong.
  func wait(
    _ socket: Int32, for interest: Interest, until deadline: ContinuousClock.Instant,
    cancellable: Bool = true
  ) async -> Outcome {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    guard cancellable else { return await suspend(socket, id, interest, deadline) }
    return await withTaskCancellationHandler {
      // A cancellation before the waiter was entered found nobody to wake.
      await suspend(socket, id, interest, deadline) { Task.isCancelled }
    } onCancel: {
      finish(id, .cancelled)
    }
  }

  private func suspend(
    _ socket: Int32, _ id: UInt64, _ interest: Interest, _ deadline: ContinuousClock.Instant,
    unless isCancelled: () -> Bool = { false }
  ) async -> Outcome {
    await withCheckedContinuation { continuation in
      let sooner = state.withLock { state in
        state.waiters[id] = Waiter(continuation: continuation, deadline: deadline)
        guard state.wakeAt.map({ deadline < $0 }) ?? true else { return false }
        state.wakeAt = deadline
        return true
      }
      let events =
        switch interest {
        case .readable: Epoll.readable
        case .writable: Epoll.writable
        case .readableOrWritable: Epoll.readable | Epoll.writable
        }
      if !epoll.arm(socket, id: id, events: events) { finish(id, .ready) }
      if isCancelled() { finish(id, .cancelled) }
      if sooner { epoll.ring() }
    }
  }

  private func finish(_ id: UInt64, _ outcome: Outcome) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.continuation.resume(returning: outcome)
  }

  private func run() {
    while true {
      for id in epoll.wait(milliseconds: milliseconds()) {
        if id == Epoll.bellID { epoll.silence() } else { finish(id, .ready) }
      }
      expire()
    }
  }

  /// The time to sleep, rounded up; -1 is for ever.
  private func milliseconds() -> Int32 {
    guard let wakeAt = state.withLock({ $0.wakeAt }) else { return -1 }
    let left = ContinuousClock.now.duration(to: wakeAt) / Duration.milliseconds(1)
    return Int32(min(max(left.rounded(.up), 0), 60_000))
  }

  /// Ends the waits whose time is up.
  ///
  /// Looks through the table only when the earliest may be.
  private func expire() {
    let now = ContinuousClock.now
    let late = state.withLock { state -> [Waiter] in
      guard let wakeAt = state.wakeAt, wakeAt <= now else { return [] }
      let late = state.waiters.filter { $0.value.deadline <= now }
      for id in late.keys { state.waiters[id] = nil }
      state.wakeAt = state.waiters.values.map(\.deadline).min()
      return Array(late.values)
    }
    for waiter in late { waiter.continuation.resume(returning: .timedOut) }
  }
}
