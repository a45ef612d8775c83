// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Logs in again, in place: after a session ended, or when another device changed the password or
  /// the keys.
  ///
  /// Unlocks too. Nothing that waits here is lost. In a journal whose cloud copy was deleted it asks
  /// whether another device has begun a new one, which `options` may allow to be followed: the next
  /// sync then merges the two.
  ///
  /// - Throws: `wrongPassword`, `keysRefused`, `deleted`, `cloudDeleted`, `newGeneration`,
  ///   `earlierPasswordNeeded`, `offline` and their like.
  public func logIn(
    password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await operation(password) { engine throws(JournalError) in
      options.progress(SyncProgress(.unlocking))
      _ = try await engine.enter(password, options)
    }
  }

  /// The routine password change: another way in to the same vault key, everywhere at once; all
  /// other sessions end.
  ///
  /// It does not undo an old password against a server that kept the old slot.
  ///
  /// - Throws: `wrongPassword` for the present one; `badInput` for what no new one may be;
  ///   `passwordInDoubt` where the server's answer was lost and cannot be asked for: then both open
  ///   this device, and the same call again finds out.
  public func changePassword(
    from present: borrowing SecretBytes, to new: borrowing SecretBytes,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let (present, new) = (HeldPassword(present), HeldPassword(new))
    try await operation(present) { engine throws(JournalError) in
      guard let account = try engine.journal.state().account else { throw .encryptionOff }
      try new.checkNew(account)
      options.progress(SyncProgress(.unlocking))
      let api: VaultAPI
      do throws(JournalError) {
        api = try await engine.enter(present)
      } catch {
        // Changed already, by a call that did not hear of it.
        guard error == .wrongPassword, engine.journal.home.has(engine.journal.home.newSlotFile)
        else { throw error }
        _ = try await engine.enter(new)
        return
      }
      try await engine.change(
        from: present, to: new, account, api, engine.profileForNewPassword())
    }
  }

  /// Makes each guess at the password dearer: the same password, registered anew under the strongest
  /// cost, everywhere at once; all other sessions end.
  ///
  /// A server that kept the old record can still be guessed against at the old cost.
  ///
  /// - Returns: False where the cost is the strongest already; then nothing changed.
  /// - Throws: `outOfMemory` where this device cannot do it, and as
  ///   ``changePassword(from:to:options:)``.
  @discardableResult
  public func strengthenPassword(
    _ password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> Bool {
    let password = HeldPassword(password)
    return try await operation(password) { engine throws(JournalError) in
      guard let account = try engine.journal.state().account else { throw .encryptionOff }
      options.progress(SyncProgress(.unlocking))
      let api = try await engine.enter(password)
      let profiles = engine.journal.environment.profiles
      guard let strongest = profiles.max(by: { $0.id < $1.id }),
        try LocalSlot.profile(in: engine.journal.home) ?? 0 < strongest.id
      else { return false }
      try await engine.change(from: password, to: password, account, api, strongest)
      return true
    }
  }

  /// The cost for a new password: the usual one, or the stronger one that was chosen before.
  func profileForNewPassword() throws(JournalError) -> Profile {
    let profiles = journal.environment.profiles
    let present = try LocalSlot.profile(in: journal.home) ?? 0
    guard let usual = profiles.first else { throw .incomplete }
    return profiles.first { $0.id == max(present, usual.id) } ?? usual
  }

  private func change(
    from old: HeldPassword, to new: HeldPassword, _ account: ServerAccount, _ api: VaultAPI,
    _ profile: Profile
  ) async throws(JournalError) {
    let keys = try journal.keys.unlocked()
    let state = try journal.state()
    guard let pin = state.pin, let key = HeldKey(copying: keys.keyring.currentKey())
    else { throw .incomplete }
    let registered = try await Registration.perform(
      api, account, password: new, profile: profile)
    let present: WireKeyring
    do {
      present = try await api.keyring()
    } catch {
      throw JournalError(error)
    }
    guard present.generation == pin.generation, present.epoch == key.key.epoch else {
      throw .needsPassword(.newEpoch)
    }
    var body = WireCredentialsPut()
    body.registrationRecord = Data(registered.record)
    body.profile = UInt32(profile.id)
    body.slots.passwordSlot = Data(
      registered.passwordSlot(of: key.key, profile: profile, base: pin, uid: state.uid))
    body.slots.keyring = Data(keys.keyring.sealOlder(seq: pin.seq, uid: state.uid))
    body.generation = pin.generation
    body.epoch = key.key.epoch
    // Beside the present one until the server has decided which holds.
    try await LocalSlot.writeNew(
      key, password: new, account: account, profile: profile, base: pin, uid: state.uid,
      device: state.device, in: journal.home)
    do {
      try await api.putCredentials(VaultAPI.encode(body), tag: [UInt8](present.keyringEtag))
    } catch {
      try await findOut(which: old, or: new, after: JournalError(error))
      // The same password logs in either way: the cost that it has there tells.
      guard try LocalSlot.profile(in: journal.home) == profile.id else {
        throw JournalError(error)
      }
      return
    }
    try LocalSlot.adoptNew(in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      // What was to be a rotation to yet another password is void.
      try store.dropItem(Self.rotationItem)
    }
  }

  /// Which password holds, by logging in: a refusal may be of a repeat, after a first request whose
  /// answer was lost, so that no answer but "yes" tells.
  ///
  /// - Throws: `refusal` where the old one holds; `passwordInDoubt` where the server cannot be asked.
  func findOut(
    which old: HeldPassword, or new: HeldPassword, after refusal: JournalError
  ) async throws(JournalError) {
    do throws(JournalError) {
      _ = try await enter(new)
      return
    } catch {
      guard error == .wrongPassword else { throw .passwordInDoubt }
    }
    do throws(JournalError) {
      // The slot that it writes takes the place of the new password's.
      _ = try await enter(old)
    } catch {
      throw .passwordInDoubt
    }
    throw refusal
  }
}
