// SPDX-License-Identifier: Apache-2.0
import LibPQ
import Synchronization

/// Sends commits of several users together: one round trip, one transaction, one fsync.
///
/// A commit goes at once where it can. While enough transactions are on their way to the disk, the
/// next commits queue up, and then go as one pipeline. No call in it waits for a lock, so nobody
/// waits for another's vault; one that would have to is sent again alone.
final class PostgresCommitQueue: Sendable {
  /// What became of a commit that went with others.
  private enum Outcome {
    case answered(Row)
    case failed(StoreError)
    /// There was no room for it.
    case full
    /// It must go alone, to wait for its vault's lock or to show whether it was what failed.
    case undone
  }

  private struct Waiting {
    let request: CommitRequest
    let continuation: CheckedContinuation<Outcome, Never>
  }

  private struct State {
    var waiting: [Waiting] = []
    var unanswered = 0
    var senders = 0
  }

  /// The most transactions under way; few, so that many commits share one when there are many.
  private static let senders = 4
  /// The most commits in one transaction, and bytes of blobs beyond which no further one joins.
  private static let batch = 64
  private static let batchBytes = 256 << 10

  private let pool: Pool
  private let turns: PostgresTurns
  private let most: Int
  private let state = Mutex(State())

  /// A queue of at most `most` commits; the next is told that the database is busy.
  init(_ pool: Pool, _ turns: PostgresTurns, most: Int = 1_024) {
    self.pool = pool
    self.turns = turns
    self.most = most
  }

  /// The row that `vault_commit` answers with, once the transaction is durable.
  ///
  /// Goes on when the caller's task is cancelled: others share the transaction.
  func run(_ request: CommitRequest) async throws(StoreError) -> Row {
    let outcome = await withCheckedContinuation { continuation in
      let (isFull, begins) = state.withLock { state in
        if state.unanswered >= most { return (true, false) }
        state.waiting.append(Waiting(request: request, continuation: continuation))
        state.unanswered += 1
        guard state.senders < Self.senders else { return (false, false) }
        state.senders += 1
        return (false, true)
      }
      if isFull { continuation.resume(returning: .full) }
      if begins { Task { await send() } }
    }
    if case .full = outcome { throw .unavailable(.busy) }
    state.withLock { $0.unanswered -= 1 }
    switch outcome {
    case .answered(let row): return row
    case .failed(let error): throw error
    case .full: throw .unavailable(.busy)
    case .undone: return try await alone(request)
    }
  }

  private func alone(_ request: CommitRequest) async throws(StoreError) -> Row {
    let row: Row?
    do throws(PostgresError) {
      row = try await turns.alone(request.user) { () async throws(PostgresError) in
        try await pool.run(request.statement(mayWait: true)).first
      }
    } catch {
      throw StoreError(error)
    }
    guard let row else { throw .damaged("vault_commit gave no row") }
    return row
  }

  /// The commits that wait to be sent or for their answer.
  var unansweredCount: Int { state.withLock { $0.unanswered } }

  private func send() async {
    while let batch = next() { await send(batch) }
  }

  /// The next commits to go together; nothing ends the sender.
  private func next() -> [Waiting]? {
    state.withLock { state in
      var bytes = 0
      let count =
        state.waiting.prefix(Self.batch).prefix { waiting in
          defer { bytes += waiting.request.bytes }
          return bytes < Self.batchBytes
        }.count
      guard count > 0 else {
        state.senders -= 1
        return nil
      }
      defer { state.waiting.removeFirst(count) }
      return Array(state.waiting.prefix(count))
    }
  }

  private func send(_ batch: [Waiting]) async {
    do throws(PostgresError) {
      let results = try await pool.pipeline(batch.map { $0.request.statement(mayWait: false) })
      for (waiting, rows) in zip(batch, results) {
        waiting.continuation.resume(returning: Self.outcome(rows))
      }
    } catch {
      // Where the server refused one, it undid all: each then shows alone whether it was the one.
      let outcome: Outcome =
        if case .refused = error, batch.count > 1 { .undone } else { .failed(StoreError(error)) }
      for waiting in batch { waiting.continuation.resume(returning: outcome) }
    }
  }

  private static func outcome(_ rows: Rows) -> Outcome {
    guard let row = rows.first else { return .failed(.damaged("vault_commit gave no row")) }
    do throws(PostgresError) {
      return try row.int8(0) == CommitRequest.locked ? .undone : .answered(row)
    } catch {
      return .failed(StoreError(error))
    }
  }
}
