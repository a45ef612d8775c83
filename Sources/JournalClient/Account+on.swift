// SPDX-License-Identifier: Apache-2.0
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Turns encryption on: makes the account, seals everything under its new key, pushes it, and
  /// removes what the old key could open.
  ///
  /// After a crash, the same call goes on.
  ///
  /// - Parameters:
  ///   - wish: The account; another name may be given after `nameTaken`.
  ///   - password: Opens the account and this device.
  ///   - confirm: Shows the recovery kit and says whether the user proved to have it.
  ///   - options: Hears of progress.
  /// - Throws: `encryptionOn`, `nameTaken`, `kitNotConfirmed`, `offline` and their like: what was
  ///   done stays, and nothing is lost.
  public func turnEncryptionOn(
    _ wish: AccountWish, password: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await operation(password) { engine throws(JournalError) in
      try await engine.lookForCopy(wish, password, options)
      let state = try engine.journal.state()
      if state.account == nil || state.step == .prepared || state.step == .cloudDeleted {
        try await engine.prepare(wish, password, confirm: confirm, options)
      }
      if try engine.journal.state().step == .confirmed {
        try await engine.sealUnderNewKey(password, options)
      }
      if try engine.journal.state().step == .sealed {
        try await engine.prepareRegistration(wish, password, options)
      }
      if try engine.journal.state().step == .registering {
        try await engine.register(password, options)
      }
      if try engine.journal.state().step == .beginning {
        try await engine.beginAgain(password)
      }
      let step = try engine.journal.state().step
      guard step == .registered || step == .syncing else { throw .encryptionOn }
      if step == .registered {
        options.progress(SyncProgress(.unlocking))
        _ = try await engine.enter(password)
        try engine.journal.store.write { (store) throws(JournalError) in
          try store.updateState { $0.step = .syncing }
        }
      }
      _ = try await engine.run(options, first: nil)
      try engine.finishSetup(options.progress)
    }
  }

  /// Looks, before a kit is made that might be for nothing, whether the account has a cloud copy that
  /// this device could follow or join; one that `options` allow to follow is followed.
  ///
  /// - Throws: `newGeneration` where the user is to be asked; `nameTaken` for an account of one's own
  ///   that can be joined; `wrongPassword` where the password is neither the account's nor this
  ///   device's.
  private func lookForCopy(
    _ wish: AccountWish, _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let state = try journal.state()
    if state.account == nil, state.pin != nil {
      let account = try await introduce(wish.server, name: wish.name).account
      do throws(JournalError) {
        let login = try await ServerLogin.perform(
          VaultAPI(wish.server, pace: settings.pace), account, password: password,
          profiles: journal.environment.profiles)
        if login.uid == state.uid, !login.created.hasDeletion { throw .nameTaken }
      } catch {
        guard error == .wrongPassword else { throw error }
      }
    }
    guard state.step == .cloudDeleted, let account = state.account, account.name == wish.name,
      account.url == wish.server.url
    else { return }
    do throws(JournalError) {
      _ = try await enter(password, options)
    } catch {
      switch error {
      case .deleted, .cloudDeleted: return
      case .wrongPassword:
        // The account went too; but what is sealed from now on must open by a password that is known.
        let opened = try await LocalSlot.open(
          password: password, state, profiles: journal.environment.profiles, in: journal.home,
          where: { state.fits($0) })
        return try journal.unlock(with: opened.key.key)
      default: throw error
      }
    }
  }

  /// Seals everything here under the new key, in one transaction: all of it is under the old key
  /// or all under the new one, and both can be read until the old one's file goes.
  private func sealUnderNewKey(
    _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let old = try journal.keys.unlocked()
    let state = try journal.state()
    let head = [UInt8](try setup(old).commit.head)
    options.progress(SyncProgress(.unlocking))
    // The key that was prepared is the one that its first head is sealed under.
    let key = try await LocalSlot.open(
      password: password, state, profiles: journal.environment.profiles, in: journal.home,
      where: { (try? Head(opening: head, with: Keyring(current: $0), uid: state.uid)) != nil }
    ).key
    let new = UnlockedKeys(keyring: Keyring(current: key.key), uid: state.uid)
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.writableState(old)
      try store.sealAnew(from: old, to: new, device: state.device, progress: options.progress)
      try store.updateState {
        $0.take(new)
        $0.step = .sealed
      }
    }
    // Not before: until then a present slot is what opens the journal.
    try LocalSlot.adoptNew(in: journal.home)
    try journal.unlock(with: key.key)
  }

  /// The stored request.
  ///
  /// - Throws: `damagedStore` where it is gone.
  func setup(_ keys: UnlockedKeys) throws(JournalError) -> WireAccountCreate {
    let item = try journal.store.read { (store) throws(JournalError) -> [UInt8]? in
      guard let item = try store.item(Self.setupItem, with: keys) else { return nil }
      return item.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }
    guard let item, let create = try? VaultAPI.decode(item) as WireAccountCreate else {
      throw .damagedStore
    }
    return create
  }

  /// The keys, unlocked with the password where they are locked.
  func unlockedKeys(_ password: HeldPassword) async throws(JournalError) -> UnlockedKeys {
    let state = try journal.state()
    if let keys = try? journal.keys.unlocked(), state.fits(keys) { return keys }
    let opened = try await LocalSlot.open(
      password: password, state, profiles: journal.environment.profiles, in: journal.home,
      where: { state.fits($0) })
    try journal.unlock(with: opened.key.key)
    return try journal.keys.unlocked()
  }

  func advance(to step: AccountStep) throws(JournalError) {
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState { $0.step = step }
    }
  }
}
