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
  /// Unlocks too. Nothing that waits here is lost.
  ///
  /// - Throws: `wrongPassword`, `keysRefused`, `deleted`, `offline` and their like.
  public func logIn(
    password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await exclusively { engine throws(JournalError) in
      options.progress(SyncProgress(.unlocking))
      _ = try await engine.enter(password)
    }
  }

  /// The routine password change: another way in to the same vault key, everywhere at once; all
  /// other sessions end.
  ///
  /// It does not undo an old password against a server that kept the old slot.
  ///
  /// - Throws: `wrongPassword` for the present one; `badInput` for what no new one may be.
  public func changePassword(
    from present: borrowing SecretBytes, to new: borrowing SecretBytes,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let (present, new) = (HeldPassword(present), HeldPassword(new))
    try await exclusively { engine throws(JournalError) in
      guard let account = try engine.journal.state().account else { throw .encryptionOff }
      try new.checkNew(account)
      options.progress(SyncProgress(.unlocking))
      let api = try await engine.enter(present)
      try await engine.change(to: new, account, api)
    }
  }

  private func change(
    to new: HeldPassword, _ account: ServerAccount, _ api: VaultAPI
  ) async throws(JournalError) {
    let keys = try journal.keys.unlocked()
    let state = try journal.state()
    guard let pin = state.pin, let profile = journal.environment.profiles.first,
      let key = HeldKey(copying: keys.keyring.currentKey())
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
      if case .refused = error { try journal.home.remove(journal.home.newSlotFile) }
      throw JournalError(error)
    }
    try LocalSlot.adoptNew(in: journal.home)
  }
}
