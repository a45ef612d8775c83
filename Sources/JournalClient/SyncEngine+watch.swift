// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import Synchronization
import VaultProtocol

/// What a continuous sync tells.
public enum WatchEvent: Equatable, Sendable {
  /// A sync ended well; quiet ones are not told, but for the first.
  case synced(SyncReport)
  /// A sync failed in a way that passes by itself; it is tried again.
  case waiting(JournalError)
}

extension SyncEngine {
  /// Syncs continuously: what is saved here, by any process, goes at once, and what is committed
  /// elsewhere comes at once.
  ///
  /// Gives up, by throwing into the stream, only where the user is needed. Ends when its consumer does. Between syncs it holds no lock: one request waits at the server.
  public nonisolated func events(
    _ options: SyncOptions = SyncOptions()
  ) -> AsyncThrowingStream<WatchEvent, any Error> {
    AsyncThrowingStream { events in
      let task = Task {
        do throws(JournalError) {
          try await self.watch(options) { events.yield($0) }
          events.finish()
        } catch {
          events.finish(throwing: error)
        }
      }
      events.onTermination = { _ in task.cancel() }
    }
  }

  /// Syncs until the task is cancelled.
  ///
  /// - Throws: What needs the user.
  private func watch(
    _ options: SyncOptions, _ tell: (WatchEvent) -> Void
  ) async throws(JournalError) {
    var page: WaitedPage?
    var failures = 0
    var isFirst = true
    while !Task.isCancelled {
      do throws(JournalError) {
        let got = page
        page = nil
        let report = try await exclusively { engine throws(JournalError) in
          try await engine.step(options, page: got)
        }
        failures = 0
        if isFirst || !report.isEmpty { tell(.synced(report)) }
        isFirst = false
        page = try await news()
      } catch {
        guard !Task.isCancelled else { return }
        guard error.passesByItself else {
          try? note(error)
          throw error
        }
        tell(.waiting(error))
        failures += 1
        // After one beyond the doublings of a minute, a minute apart.
        do {
          try await Pace(tries: 1, first: .milliseconds(500), longest: .seconds(60))
            .wait(before: min(failures, 9) + 1, atLeast: askedToWait)
          askedToWait = nil
        } catch {
          return
        }
      }
    }
  }

  /// One sync of a watch: what waits here goes first, since a commit is taken on the pinned head
  /// or not at all; only where that fails is there something to pull before.
  private func step(
    _ options: SyncOptions, page: WaitedPage?
  ) async throws(JournalError) -> SyncReport {
    let step = try journal.state().step
    let waits = try journal.hasPending()
    // A row whose blob is not here yet may be an edit to be merged with what waits.
    let wants = try journal.store.read { (store) throws(JournalError) in try store.wantsAny() }
    guard page == nil, root != nil, step == .none, waits, !wants else {
      let report = try await run(options, first: page)
      try finishSetup(options.progress)
      return report
    }
    let session = try session()
    var report = try await sendFrozen(session)
    let (sent, isDone) = try await push(session, options)
    report.add(sent)
    guard isDone else {
      report.add(try await run(options, first: nil))
      return report
    }
    try noteSynced(report, session.keys)
    try note(nil)
    return report
  }

  /// Waits until the vault's head moves or something is saved here.
  ///
  /// - Returns: The page that the server answered with; `nil` after a save here, or when the wait
  ///   ended with nothing new.
  private func news() async throws(JournalError) -> WaitedPage? {
    let session = try session()
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    let rowsOnly = cursorIsBehind
    let feed = VaultAPI.Feed(
      cursor: state.cursor, headsFrom: pin.seq, rowsOnly: rowsOnly,
      wait: .seconds(Limits.waitSeconds))
    let saves = nudges.next()
    let journal = journal
    let outcome = await withTaskGroup(of: Result<WireChanges?, APIError>.self) { group in
      group.addTask {
        do throws(APIError) {
          return .success(try await session.api.changes(feed))
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        await saves.first { _ in true }
        return .success(nil)
      }
      group.addTask {
        // Other processes do not call: a look costs some microseconds.
        while !Task.isCancelled, (try? journal.hasPending()) != true {
          try? await Task.sleep(for: .milliseconds(50))
        }
        return .success(nil)
      }
      defer { group.cancelAll() }
      return await group.next() ?? .failure(.cancelled)
    }
    do {
      return try outcome.get().map {
        WaitedPage(changes: $0, cursor: state.cursor, pin: pin, rowsOnly: rowsOnly)
      }
    } catch {
      throw try refused(error, session)
    }
  }

  /// Says that something was saved in this process: a watch sends it without waiting for its next
  /// look.
  public nonisolated func nudge() { nudges.call() }
}

/// A page of the feed that a waiting request got, and what was asked for.
struct WaitedPage: Sendable {
  var changes: WireChanges
  var cursor: [UInt8]
  /// The head that its chain begins at.
  var pin: HeadPoint
  var rowsOnly: Bool
}

/// Hands a call over to whoever waits for it; calls while nobody waits are forgotten.
final class Nudges: Sendable {
  private let waiting = Mutex<AsyncStream<Void>.Continuation?>(nil)

  /// The calls from now on; those who waited before are let go.
  func next() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    waiting.withLock { waiting in
      waiting?.finish()
      waiting = continuation
    }
    return stream
  }

  /// Calls whoever waits.
  func call() {
    _ = waiting.withLock { $0?.yield() }
  }
}

extension Journal {
  /// Whether anything waits to be sent.
  func hasPending() throws(JournalError) -> Bool {
    try store.read { (store) throws(JournalError) in try store.hasPending() }
  }
}

extension JournalError {
  /// Whether trying again later may help without anybody doing anything.
  var passesByItself: Bool {
    switch self {
    case .offline, .serverProblem, .notAServer, .syncing, .busy, .keysChanged, .withheld: true
    default: false
    }
  }
}
