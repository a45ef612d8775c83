// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import GRDB
import Migrations
import VaultProtocol

/// The store in one SQLite file: what `vaultd` uses with nothing configured.
///
/// Write-ahead log, `synchronous=FULL` (an answered commit survives a power cut),
/// `secure_delete=ON` (what is deleted is overwritten). One writer, which several requests share;
/// readers see snapshots and wait for nobody. One `vaultd` a file.
public final class SQLiteStore: VaultStore {
  /// Wakes those who wait for a change.
  public let signals = HeadSignals()

  let policy: StorePolicy
  let pool: DatabasePool
  let writer: WriteQueue

  /// Opens the file at `path`, or makes it (0600), and brings its schema up to date.
  ///
  /// - Throws: ``StoreError`` when it cannot be opened, or is not this program's.
  public init(path: String, policy: StorePolicy = StorePolicy()) throws(StoreError) {
    do {
      if !FileManager.default.fileExists(atPath: path) {
        // SQLite gives the log files beside it the same permissions.
        _ = FileManager.default.createFile(
          atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      }
      let pool = try DatabasePool(path: path, configuration: Self.configuration)
      // The pool sets NORMAL for its writer, which a power cut could undo.
      try pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA synchronous = FULL")
        // A whole commit of the largest size fits, and need not be written twice.
        try db.execute(sql: "PRAGMA cache_size = -12288")
        try SQLiteMigrator.migrate(db, to: Migrations.serverSQLite)
      }
      self.pool = pool
      self.policy = policy
      writer = WriteQueue(pool)
    } catch {
      throw StoreError(error)
    }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "vault"
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { db in
      // 8 KiB pages hold three entries of 2 KB each without an overflow page.
      try db.execute(
        sql: """
          PRAGMA page_size = 8192;
          PRAGMA secure_delete = ON;
          PRAGMA temp_store = MEMORY;
          PRAGMA cache_size = -4096;
          PRAGMA journal_size_limit = 67108864;
          """)
    }
    return configuration
  }

  /// Reads a snapshot, off the cooperative pool.
  func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T)
    async throws(StoreError) -> T
  {
    let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
      pool.asyncRead { db in
        continuation.resume(
          returning: Result { try body(db.get()) }.mapError { StoreError($0) })
      }
    }
    return try result.get()
  }

  /// Reads as `caller`, once the session is checked; slides that when due.
  func read<T: Sendable>(
    as caller: Caller, now: Timestamp,
    _ body: @escaping @Sendable (Database, SessionRow) throws -> T
  ) async throws(StoreError) -> T {
    let slide = policy.sessionSlide
    let (value, isDue) = try await read { db in
      let session = try SessionRow.checked(caller, now: now, in: db)
      return (try body(db, session), session.isSlideDue(after: slide, now: now))
    }
    if isDue { try await write(as: caller, now: now) { _, _ in } }
    return value
  }

  /// Writes as `caller`, once the session is checked; slides that when due.
  func write<T: Sendable>(
    as caller: Caller, now: Timestamp,
    _ body: @escaping @Sendable (Database, SessionRow) throws -> T
  ) async throws(StoreError) -> T {
    let policy = policy
    return try await writer.run { db in
      let session = try SessionRow.checked(caller, now: now, in: db)
      if session.isSlideDue(after: policy.sessionSlide, now: now) {
        try session.slide(to: now, life: policy.sessionLife, in: db)
      }
      return try body(db, session)
    }
  }

  /// Whether the database answers.
  public func ping() async throws(StoreError) {
    _ = try await read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM schema_migrations") }
  }

  /// Waits for what is under way, then lets the file go.
  public func close() async {
    writer.close()
    signals.finish()
    // What was queued before is run before this, since the writer is one queue.
    _ = try? await drain()
    let pool = pool
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        try? pool.close()
        continuation.resume()
      }
    }
  }

  private func drain() async throws {
    await withCheckedContinuation { continuation in
      pool.asyncWriteWithoutTransaction { _ in continuation.resume() }
    }
  }
}
