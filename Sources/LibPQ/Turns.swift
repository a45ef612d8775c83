// SPDX-License-Identifier: Apache-2.0
private import Synchronization

/// A fixed number of turns, taken in order of arrival: a counting semaphore that waits without
/// a thread, up to a deadline, and minds cancellation.
final class Turns: Sendable {
  private typealias Continuation = CheckedContinuation<Swift.Result<Void, PostgresError>, Never>

  private struct State {
    var free: Int
    var waiters: [(id: UInt64, continuation: Continuation)] = []
    var lastID: UInt64 = 0
  }

  private let state: Mutex<State>

  init(count: Int) {
    state = Mutex(State(free: count))
  }

  var waitingCount: Int { state.withLock { $0.waiters.count } }

  /// Takes a turn; every one taken must be given back.
  ///
  /// - Throws: ``PostgresError/timedOut`` at `deadline`, ``PostgresError/cancelled``.
  func take(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
    guard !Task.isCancelled else { throw .cancelled }
    let id = state.withLock { state -> UInt64? in
      if state.free > 0, state.waiters.isEmpty {
        state.free -= 1
        return nil
      }
      state.lastID += 1
      return state.lastID
    }
    guard let id else { return }
    // The clock runs only for those who have to wait.
    let alarm = Task {
      try await Task.sleep(until: deadline)
      finish(id, .failure(.timedOut))
    }
    defer { alarm.cancel() }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: Continuation) in
        let isFree = state.withLock { state in
          guard state.free == 0 else {
            state.free -= 1
            return true
          }
          state.waiters.append((id, continuation))
          return false
        }
        if isFree { continuation.resume(returning: .success(())) }
        if Task.isCancelled { finish(id, .failure(.cancelled)) }
      }
    } onCancel: {
      finish(id, .failure(.cancelled))
    }
    try result.get()
  }

  /// Takes a turn, however long that takes.
  func takeAtLast() async {
    let isFree = state.withLock { state in
      guard state.free > 0, state.waiters.isEmpty else { return false }
      state.free -= 1
      return true
    }
    if isFree { return }
    // A task of its own is not cancelled with the caller's.
    await Task { try? await take(until: .now + .seconds(86_400)) }.value
  }

  /// Gives a turn back, to the one who has waited longest.
  func giveBack() {
    let next = state.withLock { state -> Continuation? in
      guard !state.waiters.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiters.removeFirst().continuation
    }
    next?.resume(returning: .success(()))
  }

  private func finish(_ id: UInt64, _ result: Swift.Result<Void, PostgresError>) {
    let continuation = state.withLock { state -> Continuation? in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
      return state.waiters.remove(at: index).continuation
    }
    continuation?.resume(returning: result)
  }
}
