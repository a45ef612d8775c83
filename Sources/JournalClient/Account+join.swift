// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Joins an account from this device; what the journal holds already is merged in, nothing is
  /// replaced.
  ///
  /// After a crash, the next sync goes on.
  ///
  /// A device without memory takes the head in its slot as a lower bound: compare
  /// ``Journal/fingerprint()`` with another device.
  ///
  /// - Throws: `encryptionOn`, `wrongPassword`, `keysRefused`, `cloudDeleted` where there is no
  ///   cloud copy at present, `offline` and its like.
  @discardableResult
  public func join(
    _ wish: AccountWish, password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> SyncReport {
    let password = HeldPassword(password)
    return try await operation(password) { engine throws(JournalError) in
      let state = try engine.journal.state()
      guard state.account == nil || state.step == .cloudDeleted else { throw .encryptionOn }
      try await engine.enterVault(wish, password, options)
      // Without memory of another one, the present generation is the one to join.
      var options = options
      options.allowsNewGeneration = true
      let report = try await engine.run(options, first: nil)
      try engine.finishSetup(options.progress)
      return report
    }
  }

  /// Logs in at the account, and makes this journal one of its vault's.
  func enterVault(
    _ wish: AccountWish, _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    options.progress(SyncProgress(.unlocking))
    let (account, _) = try await introduce(wish.server, name: wish.name)
    let login = try await ServerLogin.perform(
      VaultAPI(wish.server, pace: settings.pace), account, password: password,
      profiles: journal.environment.profiles)
    guard !login.created.hasDeletion else { throw .cloudDeleted }
    try await takeCopy(of: account, login, password, options)
  }

  /// Makes the vault that `login` opened this journal's: everything here is sealed anew under its
  /// key, and the next sync merges the two.
  ///
  /// - Throws: `earlierPasswordNeeded` where the keys are not in memory and `password` is not the one
  ///   that this device still opens by; `keysRefused`, `rolledBack`.
  func takeCopy(
    of account: ServerAccount, _ login: ServerLogin, _ password: HeldPassword,
    _ options: SyncOptions
  ) async throws(JournalError) {
    let old = try await keysOfNow(password)
    let slot = try login.openSlot()
    let keyring = [UInt8](login.created.keyring)
    guard let uid = login.uid, let key = HeldKey(copying: slot.key),
      let ring = try? Keyring.open(keyring, current: slot.key, uid: uid)
    else { throw .keysRefused }
    let state = try journal.state()
    let pin = try Self.lowerBound(slot.base, state, uid)
    try await LocalSlot.writeNew(
      key, password: password, account: account, profile: login.profile, base: slot.base, uid: uid,
      device: state.device, in: journal.home)
    let new = UnlockedKeys(keyring: ring, uid: uid)
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.writableState(old)
      try store.sealAnew(from: old, to: new, device: state.device, progress: options.progress)
      if uid != state.uid { try store.forgetBases() }
      try store.dissolveCommit()
      try store.dropVaultRows()
      try store.dropWanted()
      try store.dropItem(Self.setupItem)
      try store.dropItem(Self.rotationItem)
      try store.setKeyring(keyring, epoch: key.key.epoch)
      try store.dropKeyrings(except: key.key.epoch)
      try store.setCredential(login.credential, with: new)
      try store.updateState {
        $0.take(new)
        $0.pin = pin
        $0.cursor = []
        $0.account = account
        $0.step = .syncing
        $0.syncFault = nil
      }
    }
    // Not before: until then a present slot is what opens the journal.
    try LocalSlot.adoptNew(in: journal.home)
    root = nil
    try journal.unlock(with: key.key)
  }

  private func keysOfNow(_ password: HeldPassword) async throws(JournalError) -> UnlockedKeys {
    if let keys = try? journal.keys.unlocked() { return keys }
    guard try journal.state().account != nil else { throw .locked }
    do throws(JournalError) {
      return try await unlockedKeys(password)
    } catch {
      throw error == .wrongPassword ? .earlierPasswordNeeded : error
    }
  }

  /// The head that the server must at least show: the slot's, or what this device once verified of
  /// the same vault.
  private static func lowerBound(
    _ base: HeadPoint, _ state: JournalState, _ uid: ObjectID
  ) throws(JournalError) -> HeadPoint {
    guard uid == state.uid, let pin = state.pin else { return base }
    guard pin.generation <= base.generation else { throw .rolledBack }
    return pin.generation == base.generation && pin.seq > base.seq ? pin : base
  }
}

extension StoreTransaction {
  /// Another vault has no states in common with this journal: what is shown is offered to it as
  /// new, and the rest is history.
  func forgetBases() throws(JournalError) {
    try run("UPDATE revisions SET state = 3 WHERE state IN (1, 2)")
    try run(
      "UPDATE revisions SET state = 1 WHERE state = 3 AND id IN (SELECT current FROM records)")
  }
}
