// SPDX-License-Identifier: Apache-2.0
import GRDB
import Synchronization

/// Commits what several requests write in one transaction, so that they share one fsync.
///
/// While one transaction is on its way to the disk, the next requests queue up; they then go
/// together, each in a savepoint of its own, so that one that fails takes no other with it. Nobody
/// gets an answer before the transaction is durable.
final class WriteQueue: Sendable {
  private typealias Finish = @Sendable (StoreError?) -> Void

  private struct Job: Sendable {
    /// Does the work, and gives what tells the requester once the transaction's fate is known.
    var run: @Sendable (Database) -> Finish
    /// Tells the requester that the work was not even begun.
    var fail: @Sendable (StoreError) -> Void
  }

  private struct State {
    var jobs: [Job] = []
    var isScheduled = false
    var isClosed = false
  }

  /// The most requests in one transaction: enough to share an fsync, few enough to be quick.
  private static let batch = 64

  private let pool: DatabasePool
  private let most: Int
  private let state = Mutex(State())

  /// A queue of at most `most` requests; the next is told that the database is busy.
  init(_ pool: DatabasePool, most: Int = 1_024) {
    self.pool = pool
    self.most = most
  }

  /// Runs `body` in a transaction and returns its value once that is durable.
  func run<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
    async throws(StoreError) -> T
  {
    let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
      enqueue(
        Job(
          run: { db in
            let result = Self.inSavepoint(db, body)
            return { failure in
              continuation.resume(returning: failure.map { .failure($0) } ?? result)
            }
          },
          fail: { continuation.resume(returning: .failure($0)) }))
    }
    return try result.get()
  }

  /// Refuses what comes from now on.
  func close() {
    state.withLock { $0.isClosed = true }
  }

  private func enqueue(_ job: Job) {
    let (fault, mustSchedule) = state.withLock { state -> (StoreError.Fault?, Bool) in
      if state.isClosed { return (.closed, false) }
      if state.jobs.count >= most { return (.busy, false) }
      state.jobs.append(job)
      defer { state.isScheduled = true }
      return (nil, !state.isScheduled)
    }
    if let fault { job.fail(.unavailable(fault)) }
    if mustSchedule { schedule() }
  }

  /// The requests that wait.
  var count: Int { state.withLock { $0.jobs.count } }

  private func schedule() {
    pool.asyncWriteWithoutTransaction { [self] db in
      let jobs = state.withLock { state in
        let jobs = Array(state.jobs.prefix(Self.batch))
        state.jobs.removeFirst(jobs.count)
        return jobs
      }
      Self.commit(jobs, in: db)
      let isLeft = state.withLock { state in
        state.isScheduled = !state.jobs.isEmpty
        return state.isScheduled
      }
      if isLeft { schedule() }
    }
  }

  private static func commit(_ jobs: [Job], in db: Database) {
    var finishes: [Finish] = []
    do {
      try db.beginTransaction(.immediate)
      for (index, job) in jobs.enumerated() {
        finishes.append(job.run(db))
        guard db.isInsideTransaction else {
          // A full or failing disk ends the whole transaction, not the savepoint alone. Whoever
          // met it has its error; the others have done nothing wrong and begin anew.
          finishes[index](nil)
          commit(Array(jobs[..<index] + jobs[(index + 1)...]), in: db)
          return
        }
      }
      try db.commit()
      for finish in finishes { finish(nil) }
    } catch {
      if db.isInsideTransaction { try? db.rollback() }
      let failure = StoreError(error)
      for finish in finishes { finish(failure) }
      for job in jobs.dropFirst(finishes.count) { job.fail(failure) }
    }
  }

  private static func inSavepoint<T>(_ db: Database, _ body: (Database) throws -> T)
    -> Result<T, StoreError>
  {
    Result {
      var value: T?
      try db.inSavepoint {
        value = try body(db)
        return .commit
      }
      guard let value else { throw StoreError.unavailable(.inputOutput) }
      return value
    }.mapError { StoreError($0) }
  }
}
