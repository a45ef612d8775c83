// SPDX-License-Identifier: Apache-2.0
import Foundation
public import KeyFlow
import Sodium

/// A journal on this device: what the command line and the local UI talk to.
///
/// Everything here works with no account and no network. Calls block for the length of one SQLite
/// transaction; long ones take a progress callback. Several processes may have one journal open.
public final class Journal: Sendable {
  /// Where it lies.
  public let home: Home
  /// Its keys, locked or unlocked.
  public let keys = Keys()
  /// Time, ids and time zone.
  public let environment: Environment
  let store: LocalStore

  private init(home: Home, environment: Environment, store: LocalStore) {
    self.home = home
    self.environment = environment
    self.store = store
  }

  /// Makes a new journal, unlocked, with encryption off.
  ///
  /// - Throws: `journalExists`, and what the file system says.
  public static func create(
    in home: Home, environment: Environment
  ) throws(JournalError) -> Journal {
    try home.make()
    let store = try LocalStore(in: home)
    let journal = Journal(home: home, environment: environment, store: store)
    try store.write { (store) throws(JournalError) in
      guard try store.state() == nil else { throw .journalExists }
      // A slot without its journal: the database was lost, and a new one must not hide that.
      guard try home.read(home.slotFile, limit: LocalFile.count) == nil else { throw .damagedStore }
      let key = try Self.ensureKeyFile(in: home)
      let uid = environment.makeID()
      try store.setState(
        JournalState(
          uid: uid, device: environment.makeID(), epoch: key.epoch, keyID: key.id(in: uid),
          pin: nil, cursor: [],
          account: nil, accountStep: "", syncedAt: nil, pulledAt: nil))
    }
    try journal.unlockWithKeyFile(try journal.standing())
    return journal
  }

  /// Makes the key file, before the state that makes it a journal.
  ///
  /// A key that is there already is never overwritten: a database that was lost may come back.
  private static func ensureKeyFile(in home: Home) throws(JournalError) -> VaultKey {
    if let key = try KeyFile.read(in: home) { return key }
    let key = VaultKey.make(epoch: 0)
    try KeyFile.write(key, in: home)
    return key
  }

  /// Opens the journal in `home`; it comes unlocked where encryption is off.
  ///
  /// - Throws: `noJournal`, `damagedStore`, `tooNew`, and what the file system says.
  public static func open(
    in home: Home, environment: Environment
  ) throws(JournalError) -> Journal {
    guard FileManager.default.fileExists(atPath: home.database.path) else { throw .noJournal }
    let store = try LocalStore(in: home)
    let journal = Journal(home: home, environment: environment, store: store)
    try journal.unlockWithKeyFile(try journal.standing())
    return journal
  }

  /// What the device knows of its journal without any key.
  ///
  /// - Throws: `noJournal`, and what SQLite says.
  public func state() throws(JournalError) -> JournalState {
    let state = try store.read { (store) throws(JournalError) in try store.state() }
    guard let state else { throw .noJournal }
    return state
  }

  /// The state, and the older epochs' keys under the current one.
  private func standing() throws(JournalError) -> (state: JournalState, older: [UInt8]?) {
    try store.read { (store) throws(JournalError) in
      guard let state = try store.state() else { throw .noJournal }
      return (state, try store.keyring(epoch: state.epoch))
    }
  }

  /// Unlocks with the key file, where that is how the journal opens, and it holds the current key.
  private func unlockWithKeyFile(
    _ standing: (state: JournalState, older: [UInt8]?)
  ) throws(JournalError) {
    // With an account a file is left over, whatever number its key bears.
    guard standing.state.opensByFile, let key = try KeyFile.read(in: home),
      standing.state.fits(key)
    else { return }
    try unlock(with: key, standing)
  }

  /// Unlocks with the current epoch's key, from an agent, a slot or the key file; the older
  /// epochs' keys come from the store.
  ///
  /// - Throws: `keysChanged` for another epoch's key; `wrongPassword` where it is not this vault's.
  public func unlock(with key: borrowing VaultKey) throws(JournalError) {
    try unlock(with: key, try standing())
  }

  private func unlock(
    with key: borrowing VaultKey, _ standing: (state: JournalState, older: [UInt8]?)
  ) throws(JournalError) {
    let state = standing.state
    guard key.epoch == state.epoch else { throw .keysChanged }
    guard state.fits(key) else { throw .wrongPassword }
    guard let older = standing.older else {
      return keys.unlock(with: Keyring(current: key), uid: state.uid)
    }
    do {
      keys.unlock(with: try Keyring.open(older, current: key, uid: state.uid), uid: state.uid)
    } catch {
      throw .wrongPassword
    }
  }

  /// Leaves the local store open until the process ends, for a program that does one thing: closing
  /// it would move the write-ahead log into the database, three more waits for the disk.
  ///
  /// What was acknowledged is durable either way; the log stays small.
  public func keepOpenUntilExit() {
    store.keepOpenUntilExit()
  }
}
