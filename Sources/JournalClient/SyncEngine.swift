// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import VaultProtocol

/// Brings this device and the vault together (SYNC.md §4–§5): one sync at a time, each of which may
/// be cut at any byte and goes on from what is on the disk.
///
/// Nothing that the server says is believed before the chain of heads leads to it from this
/// device's pin; an answer that fails changes nothing here but the named state shown in the status.
public actor SyncEngine {
  /// The journal that it syncs.
  public nonisolated let journal: Journal
  let settings: SyncSettings

  /// The root over the vault's rows at a head, kept so that an edit rehashes one bucket.
  var root: (rows: VaultRoot, at: HeadPoint)?
  /// Whether this process committed since the cursor was given: what comes next is then its own.
  var cursorIsBehind = false
  var isSyncing = false
  let nudges = Nudges()
  /// How long a busy server asked to be left alone.
  var askedToWait: Duration?
  /// The deletion that the last login was told of, after it was believed.
  var seenDeletion: (what: WireDeletion, api: VaultAPI)?

  /// An engine for `journal`.
  public init(_ journal: Journal, settings: SyncSettings = SyncSettings()) {
    self.journal = journal
    self.settings = settings
  }

  /// Syncs once: what the server has comes, what waits here goes.
  ///
  /// - Throws: `syncing` while another one runs; `locked`; `offline`; `needsPassword` where the
  ///   session ended; `rolledBack`, `forked`, `incomplete`, `altered`, `withheld`, `deleted` and their
  ///   like. Whatever is thrown, no entry is lost, and the next sync goes on.
  @discardableResult
  public func sync(_ options: SyncOptions = SyncOptions()) async throws(JournalError) -> SyncReport
  {
    try await exclusively { engine throws(JournalError) in
      let report = try await engine.run(options, first: nil)
      try engine.finishSetup(options.progress)
      return report
    }
  }

  /// Runs `work` while no other process and no other task syncs, and notes how it ended.
  ///
  /// With a `password` it is an account operation's (``operation(_:_:)``).
  func exclusively<R: Sendable>(
    for password: HeldPassword? = nil,
    _ work: (isolated SyncEngine) async throws(JournalError) -> R
  ) async throws(JournalError) -> R {
    guard !isSyncing else { throw .syncing }
    isSyncing = true
    defer { isSyncing = false }
    let lock = try SyncLock(journal.home)
    defer { withExtendedLifetime(lock) {} }
    defer { try? forgetOldKey() }
    do {
      if let password { try await settle(password) }
      return try await work(self)
    } catch {
      try? note(error)
      throw error
    }
  }

  /// A whole sync, within the lock.
  ///
  /// `first` is a page that a waiting request got.
  func run(
    _ options: SyncOptions, first: WaitedPage?
  ) async throws(JournalError) -> SyncReport {
    let session = try session()
    var report = SyncReport()
    var pulled = Pulled()
    var page = first
    for attempt in 1... {
      report.add(try await sendFrozen(session))
      pulled = try await pull(session, options, first: page)
      report.add(pulled.report)
      page = nil
      let (sent, isDone) = try await push(session, options)
      report.add(sent)
      if isDone { break }
      guard attempt < settings.conflictTries else { throw .busy }
      do {
        try await settings.pace.wait(before: attempt + 1)
      } catch {
        throw .cancelled
      }
    }
    if cursorIsBehind {
      pulled = try await pull(session, options, first: nil)
      report.add(pulled.report)
    }
    // Everything else is in step by now.
    try pulled.requireAll()
    try noteSynced(report, session.keys)
    try note(nil)
    return report
  }

  /// Notes when this device was last verified to be in step; not more often than is ever shown.
  func noteSynced(_ report: SyncReport, _ keys: UnlockedKeys) throws(JournalError) {
    let now = journal.environment.now()
    let state = try journal.state()
    let age = now.milliseconds &- (state.syncedAt?.milliseconds ?? .min)
    guard !report.isEmpty || age < 0 || age > 20_000 else { return }
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState {
        $0.syncedAt = now
        $0.pulledAt = now
      }
      guard !report.isEmpty else { return }
      try store.log(
        ActivityEvent(
          .synced, time: now, received: report.received + report.deleted, sent: report.sent), keys)
    }
  }
}

extension SyncEngine {
  /// The way to the server with the present session.
  func session() throws(JournalError) -> Session {
    try Session(of: journal, pace: settings.pace)
  }
}

/// One sync's way to the server: who asks, with which keys.
struct Session {
  let api: VaultAPI
  let keys: UnlockedKeys

  /// - Throws: `encryptionOff`, `locked`, `keysChanged`, `needsPassword` where there is no token;
  ///   `cloudDeleted`.
  init(of journal: Journal, pace: Pace) throws(JournalError) {
    keys = try journal.keys.unlocked()
    let keys = keys
    let (state, credential) = try journal.store.read { (store) throws(JournalError) in
      guard let state = try store.state() else { throw .noJournal }
      return (state, try store.credential(with: keys))
    }
    guard let account = state.account else { throw .encryptionOff }
    guard state.fits(keys) else { throw .keysChanged }
    guard state.step != .cloudDeleted else { throw .cloudDeleted }
    guard !state.step.isBeforeAccount, state.step != .registered else { throw .setupUnfinished }
    guard let address = ServerAddress(account.url) else { throw .badInput("the server's address") }
    guard let credential else { throw .needsPassword(.sessionEnded) }
    api = VaultAPI(address, credential: credential, pace: pace)
  }
}
