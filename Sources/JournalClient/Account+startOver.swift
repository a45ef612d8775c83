// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
public import Sodium
import VaultProtocol

/// Somebody's wish to set another password without the present one.
public struct StartOverWish: Equatable, Sendable {
  /// From then on the device that asked may do it, by the server's clock.
  public var dueAt: Instant
  /// Whether this device asked.
  public var isOwn: Bool
}

// Starting over (KEYFLOW.md §8), when password and kit are lost and this device is unlocked and has a
// session. The new password opens this device at once, beside the one that is lost; the account takes
// it 72 hours later, by a rotation, unless the owner logs in or refuses meanwhile.
extension SyncEngine {
  /// Asks to start over with another password, which opens this device from now on.
  ///
  /// Again, it gives the wish that is pending.
  ///
  /// - Throws: `locked`, `needsPassword` where this device has no session; `badInput` for what no
  ///   new password may be; `offline` and its like.
  public func startOver(
    newPassword: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> StartOverWish {
    let password = HeldPassword(newPassword)
    return try await operation(password) { engine throws(JournalError) in
      let session = try engine.session()
      let state = try engine.journal.state()
      guard let account = state.account, let pin = state.pin,
        let key = HeldKey(copying: session.keys.keyring.currentKey())
      else { throw .encryptionOff }
      try password.checkNew(account)
      options.progress(SyncProgress(.unlocking))
      // First: a session whose device nobody can open would be of no use when the time has come.
      try await LocalSlot.writeNew(
        key, password: password, account: account, profile: engine.profileForNewPassword(),
        base: pin, uid: state.uid, device: state.device, in: engine.journal.home)
      let wire: WireStartOver
      do throws(APIError) {
        wire = try await session.api.startOver()
      } catch {
        throw try engine.refused(error, session)
      }
      let wish = StartOverWish(wire, session)
      try engine.journal.store.write { (store) throws(JournalError) in
        try store.updateState { $0.startOver = wish }
      }
      return wish
    }
  }

  /// Takes a wish to start over back, whichever device's it is.
  ///
  /// - Throws: `locked`, `needsPassword`, `offline` and their like.
  public func refuseStartOver() async throws(JournalError) {
    try await exclusively { engine throws(JournalError) in
      let session = try engine.session()
      do throws(APIError) {
        try await session.api.refuseStartOver()
      } catch {
        throw try engine.refused(error, session)
      }
      try engine.journal.store.write { (store) throws(JournalError) in
        try store.updateState { $0.startOver = nil }
      }
    }
  }

  /// Gives the account the password that this device asked for 72 hours ago, with another kit and
  /// another key.
  ///
  /// After a crash or a lost answer the same call goes on.
  ///
  /// - Throws: `wrongPassword` where it does not open this device; `startOverRefused` where the
  ///   wish was taken back; `startOverNotDue`; `kitNotConfirmed`; `passwordInDoubt`; `offline` and
  ///   its like.
  public func finishStartOver(
    newPassword: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(newPassword)
    try await operation(password) { engine throws(JournalError) in
      guard try engine.journal.state().account != nil else { throw .encryptionOff }
      options.progress(SyncProgress(.unlocking))
      _ = try await engine.unlockedKeys(password)
      let session = try engine.session()
      let vault: WireVaultState
      do throws(APIError) {
        vault = try await session.api.vault()
      } catch {
        throw try engine.refused(error, session)
      }
      if vault.epoch > session.keys.keyring.epoch {
        // An earlier call's answer was lost.
        _ = try await engine.enter(password)
      } else {
        let wish = vault.hasStartOver ? StartOverWish(vault.startOver, session) : nil
        guard let wish, wish.isOwn else { throw .startOverRefused }
        guard wish.dueAt <= engine.journal.environment.now() else {
          throw .startOverNotDue(wish.dueAt)
        }
        try await engine.rotate(
          from: password, to: password, isFresh: false, confirm: confirm, options)
      }
      try engine.journal.store.write { (store) throws(JournalError) in
        try store.updateState { $0.startOver = nil }
      }
    }
  }
}

extension StartOverWish {
  /// The wish that the server shows to `session`.
  init(_ wire: WireStartOver, _ session: Session) {
    dueAt = Instant(milliseconds: wire.dueMs)
    isOwn = wire.sessionID == session.api.credential?.sessionID
  }
}

extension SyncEngine {
  /// Keeps what the feed showed of a wish to start over, for the status; a thief's must be seen.
  func noteStartOver(_ vault: WireVaultState?, _ session: Session) throws(JournalError) {
    let shown = vault.flatMap { $0.hasStartOver ? $0.startOver : nil }
    let wish = shown.map { StartOverWish($0, session) }
    guard try journal.state().startOver != wish else { return }
    let now = journal.environment.now()
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState { $0.startOver = wish }
      guard let wish, !wish.isOwn else { return }
      try store.log(
        ActivityEvent(.account, time: now, detail: "another device asked to start over"),
        session.keys)
    }
  }
}
