// SPDX-License-Identifier: Apache-2.0
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Turns encryption off on this device: everything is sealed anew under a key in a file, and
  /// slots and session go.
  ///
  /// The cloud copy and the other devices go on.
  ///
  /// Works offline; the server ends the session when it can be reached.
  ///
  /// - Throws: `wrongPassword`, `encryptionOff`; then nothing changed.
  public func turnEncryptionOff(
    password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await operation(password) { engine throws(JournalError) in
      let state = try engine.journal.state()
      guard state.account != nil else { throw .encryptionOff }
      if state.step == .prepared || state.step == .confirmed {
        return try engine.abandon(state)
      }
      options.progress(SyncProgress(.unlocking))
      let opened = try await LocalSlot.open(
        password: password, state, profiles: engine.journal.environment.profiles,
        in: engine.journal.home, where: { state.fits($0) })
      try engine.journal.unlock(with: opened.key.key)
      if let session = try? engine.session(), let credential = session.api.credential {
        // Best effort: a session that stays ends by itself.
        _ = try? await session.api.endSession(credential.sessionID)
      }
      try engine.sealUnderFileKey(options)
    }
  }

  /// Nothing was sealed under the new key yet: what was prepared is void.
  private func abandon(_ state: JournalState) throws(JournalError) {
    let before = try startingPoint(state)
    try journal.store.write { (store) throws(JournalError) in
      try store.dropItem(Self.setupItem)
      try store.updateState {
        $0.account = before.account
        $0.step = before.step
      }
    }
    try journal.home.remove(journal.home.newSlotFile)
  }

  /// The key file comes first: before the store names its key, it is ignored, and replaced by the
  /// next attempt.
  private func sealUnderFileKey(_ options: SyncOptions) throws(JournalError) {
    let old = try journal.keys.unlocked()
    let state = try journal.state()
    // An epoch of its own: what was ever uploaded under a number is under one key.
    let key = VaultKey.make(epoch: max(state.epoch, old.keyring.epoch) + 1)
    try KeyFile.replace(with: key, in: journal.home)
    // A name that was freed begins with another id; the old one is still named in the deletion.
    let isReset = state.syncFault == .accountReset
    let uid = isReset ? journal.environment.makeID() : state.uid
    let new = UnlockedKeys(keyring: Keyring(current: key), uid: uid)
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.writableState(old)
      try store.dissolveCommit()
      try store.sealAnew(from: old, to: new, device: state.device, progress: options.progress)
      if isReset { try store.forgetAccount() }
      try store.dropVaultRows()
      try store.dropWanted()
      try store.dropCredential()
      try store.dropItem(Self.setupItem)
      try store.dropItem(Self.rotationItem)
      try store.dropKeyrings(except: key.epoch)
      try store.updateState {
        $0.take(new)
        $0.account = nil
        $0.cursor = []
        $0.step = .none
        $0.syncFault = nil
      }
    }
    root = nil
    try journal.unlock(with: key)
    try journal.home.remove(journal.home.slotFile)
    try journal.home.remove(journal.home.newSlotFile)
    options.progress(SyncProgress(.cleaning))
    try journal.store.vacuum()
  }
}
