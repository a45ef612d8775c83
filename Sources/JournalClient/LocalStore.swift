// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import Migrations
import Sodium
import Synchronization

/// The device's SQLite file: records, their revisions and whatever the device knows of its vault.
///
/// Any process may write; each write is one short transaction that begins by taking the lock, and
/// what it acknowledged survives a power cut (WAL, `synchronous=FULL`). It holds no key.
final class LocalStore: Sendable {
  /// How long a process waits for another one's transaction, in seconds.
  private static let busySeconds = 10.0
  /// The longest log that a process takes over as it is, in bytes: 64 pages.
  private static let longLog = 64 * 4_096
  /// "KFJ1": tells this file from any other SQLite database.
  private static let applicationID = 0x4B46_4A31

  private let queue: DatabaseQueue

  /// Opens the store in `home`, making it where there is none.
  ///
  /// - Throws: `damagedStore` for what is no database, `tooNew` for a later version's, and what the
  ///   file system says.
  init(in home: Home) throws(JournalError) {
    if !FileManager.default.fileExists(atPath: home.database.path) {
      // SQLite gives its other files this one's mode. Another process may be as quick.
      do {
        try SecretFile.create(home.database.path, SecretBytes.random(count: 0, in: .heap))
      } catch .exists {
      } catch {
        throw .secret(error)
      }
    }
    var configuration = Configuration()
    configuration.busyMode = .timeout(Self.busySeconds)
    configuration.label = "journal"
    configuration.prepareDatabase { db in
      try db.execute(
        sql: """
          PRAGMA synchronous = FULL;
          PRAGMA trusted_schema = OFF;
          PRAGMA secure_delete = ON;
          PRAGMA cell_size_check = ON;
          PRAGMA cache_size = -8192;
          PRAGMA wal_autocheckpoint = 400;
          """)
    }
    do {
      queue = try DatabaseQueue(path: home.database.path, configuration: configuration)
      try queue.inDatabase { db in
        try Self.migrate(db)
        try Self.shortenLog(db, of: home)
      }
    } catch {
      throw .store(error)
    }
  }

  /// Empties a write-ahead log that a process left long.
  ///
  /// A command ends without closing, and what it had copied into the file is not remembered: the
  /// next one reads the whole log first, and appends to it. So it would grow, and be copied anew
  /// by each. Where another process has the store open the log is in its care.
  private static func shortenLog(_ db: Database, of home: Home) throws {
    let log = home.database.path + "-wal"
    let size = try? FileManager.default.attributesOfItem(atPath: log)[.size] as? UInt64
    guard let size, size > longLog else { return }
    try db.execute(sql: "PRAGMA busy_timeout = 0")
    _ = try? db.checkpoint(.truncate)
    try db.execute(sql: "PRAGMA busy_timeout = \(Int(busySeconds * 1000))")
  }

  /// Brings the schema up to this version; several processes may try at once.
  private static func migrate(_ db: Database) throws {
    let migrations = Migrations.localSQLite
    let current = migrations.last?.number ?? 0
    let found = try version(db)
    guard found != current else { return }
    if found == 0 {
      try db.execute(sql: "PRAGMA journal_mode = WAL")
    }
    try db.inTransaction(.immediate) {
      let found = try version(db)
      guard found <= current else { throw JournalError.tooNew }
      for migration in migrations where migration.number > found {
        try db.execute(sql: migration.sql)
      }
      try db.execute(
        sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(current)")
      return .commit
    }
  }

  private static func version(_ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
  }

  /// Reads one consistent state.
  ///
  /// - Throws: What `body` throws, and what SQLite says.
  func read<R>(
    _ body: (StoreTransaction) throws(JournalError) -> R
  ) throws(JournalError) -> R {
    let result: Result<R, JournalError>
    do {
      result = try queue.read { db in Self.run(body, db) }
    } catch {
      throw .store(error)
    }
    return try result.get()
  }

  /// Writes in one durable transaction: all of `body`, or nothing of it.
  ///
  /// With `discarding`, all of it is undone at the end: to see what would happen.
  ///
  /// - Throws: What `body` throws, and what SQLite says; then nothing was written.
  func write<R>(
    discarding: Bool = false, _ body: (StoreTransaction) throws(JournalError) -> R
  ) throws(JournalError) -> R {
    var result: Result<R, JournalError>?
    do {
      try queue.inDatabase { db in
        try db.inTransaction(.immediate) {
          let outcome = Self.run(body, db)
          result = outcome
          if case .success = outcome, !discarding { return .commit }
          return .rollback
        }
      }
    } catch {
      throw .store(error)
    }
    guard let result else { throw .storage(code: 0) }
    return try result.get()
  }

  private static func run<R>(
    _ body: (StoreTransaction) throws(JournalError) -> R, _ db: Database
  ) -> Result<R, JournalError> {
    do {
      return .success(try body(StoreTransaction(db: db)))
    } catch {
      return .failure(error)
    }
  }

  /// Stores that nobody closes.
  private static let keptOpen = Mutex<[LocalStore]>([])

  /// Never closes this store's connection; the system does when the process ends.
  func keepOpenUntilExit() {
    Self.keptOpen.withLock { $0.append(self) }
  }

  /// Rewrites the file without what was deleted, and empties the write-ahead log.
  ///
  /// - Throws: What SQLite says.
  func vacuum() throws(JournalError) {
    do {
      try queue.writeWithoutTransaction { db in
        try db.execute(sql: "VACUUM")
        try db.checkpoint(.truncate)
      }
    } catch {
      throw .store(error)
    }
  }
}

extension JournalError {
  /// What an error of the store means to us; the error itself may quote SQL and goes nowhere.
  static func store(_ error: any Error) -> JournalError {
    if let error = error as? JournalError { return error }
    guard let error = error as? DatabaseError else { return .storage(code: 0) }
    switch error.resultCode {
    case .SQLITE_FULL: return .diskFull
    case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damagedStore
    default: return .storage(code: Int(error.extendedResultCode.rawValue))
    }
  }
}
