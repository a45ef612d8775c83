// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
public import Sodium
import VaultProtocol

/// What a rehearsal of a recovery kit showed.
public struct RehearsedKit: Equatable, Sendable {
  /// The fingerprint that stands on the kit, of the head when it was made.
  public var fingerprint: String
  /// Whether the kit opens a newer key than this device has: another device rotated.
  public var isNewer: Bool
}

extension SyncEngine {
  /// Opens this journal's recovery slot with a kit's code, and changes nothing.
  ///
  /// - Throws: `badCode`, `kitRefused`; `keysRefused`, `rolledBack`, `forked`, `incomplete` where the
  ///   server lies; `encryptionOff`, `offline` and its like.
  public func rehearse(code: borrowing SecretBytes) async throws(JournalError) -> RehearsedKit {
    let code = try HeldCode(typed: code)
    let state = try journal.state()
    guard let account = state.account else { throw .encryptionOff }
    guard state.step != .cloudDeleted else { throw .cloudDeleted }
    guard !state.step.isBeforeAccount else { throw .setupUnfinished }
    // The server evaluates an element for whoever opens; a password is not in this one.
    let nothing = HeldPassword(RecoveryCode.text(of: RecoveryCode.make()))
    let vault = try await openVault(
      of: account, with: code, element: Registration.element(account, nothing))
    return RehearsedKit(
      fingerprint: fingerprint(of: vault.base, uid: vault.uid),
      isNewer: vault.keys.keyring.epoch > state.epoch)
  }

  /// Makes a new recovery kit for the same key; the one before opens nothing any more at an honest
  /// server.
  ///
  /// It does not undo an old kit against a server that kept its slot: that is ``rotateKeys`` for.
  ///
  /// - Parameters:
  ///   - password: The account's password.
  ///   - confirm: Shows the new recovery kit and says whether the user proved to have it.
  ///   - options: Hears of progress.
  /// - Throws: `wrongPassword`; `kitNotConfirmed`, and then nothing changed; `kitInDoubt` where the
  ///   server's answer was lost and cannot be asked for; `offline` and its like.
  public func makeRecoveryKit(
    password: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await operation(password) { engine throws(JournalError) in
      guard try engine.journal.state().account != nil else { throw .encryptionOff }
      options.progress(SyncProgress(.unlocking))
      try await engine.replaceKit(password, confirm: confirm, options)
    }
  }

  private func replaceKit(
    _ password: HeldPassword,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    _ options: SyncOptions
  ) async throws(JournalError) {
    let began = ContinuousClock.now
    _ = try await enter(password)
    _ = try await sendFrozen(try session())
    _ = try await pull(try session(), options, first: nil)
    let keys = try session().keys
    let state = try journal.state()
    guard let base = state.pin, let account = state.account else { throw .incomplete }
    let code = RecoveryCode.make()
    let kit = RecoveryKit(
      code: RecoveryCode.text(of: code), serverName: account.serverName,
      fingerprint: fingerprint(of: base, uid: keys.uid))
    guard try await confirm(kit) else { throw .kitNotConfirmed }
    // A login ages while a kit is written down.
    if began.duration(to: .now) > .seconds(120) { _ = try await enter(password) }
    let signing = Ed25519.SigningKey(seed: SlotKey.recoverySeed(code, uid: keys.uid))
    let slot = Slot.seal(
      keys.keyring.currentKey(), profile: 0, base: base, as: .recovery,
      under: SlotKey.recovery(code, uid: keys.uid), uid: keys.uid)
    for attempt in 1... {
      let session = try session()
      guard session.keys.id == keys.id else { throw .keysChanged }
      let refusal: APIError
      do throws(APIError) {
        var present = try await session.api.keyring()
        present.slots.recoverySlot = Data(slot)
        present.slots.recoveryPublicKey = Data(signing.publicKey)
        guard let body = try? kitChange(present, keys) else { throw .garbled }
        try await session.api.putKeyring(VaultAPI.encode(body), tag: [UInt8](present.keyringEtag))
        break
      } catch {
        refusal = error
      }
      if try await isKit(signing.publicKey, session, after: refusal) { break }
      guard refusal.problem == .preconditionFailed, attempt < settings.conflictTries else {
        throw JournalError(refusal)
      }
      _ = try await pull(session, options, first: nil)
    }
    let now = journal.environment.now()
    try journal.store.write { (store) throws(JournalError) in
      try store.log(
        ActivityEvent(.account, time: now, detail: "a new recovery kit was made"), keys)
    }
    // Its head is news like any other's; if it cannot come now, the next sync fetches it.
    _ = try? await pull(try session(), options, first: nil)
  }

  /// The request: these slots, and a head over the same rows.
  private func kitChange(
    _ keyring: WireKeyring, _ keys: UnlockedKeys
  ) throws(JournalError) -> WireKeyringPut {
    let state = try journal.state()
    guard let pin = state.pin, keyring.generation == pin.generation, keyring.epoch == state.epoch
    else { throw .keysChanged }
    let stored = try journal.store.read { (store) throws(JournalError) in
      try store.head(generation: pin.generation, seq: pin.seq)
    }
    guard let stored, let last = try? Head(opening: stored.blob, with: keys.keyring, uid: keys.uid)
    else { throw .incomplete }
    let head = last.next(
      after: pin.hash, root: last.root, records: last.records, epoch: state.epoch,
      device: state.device, time: UInt64(clamping: journal.environment.now().milliseconds))
    var body = WireKeyringPut()
    body.mode = .replace
    body.slots = keyring.slots
    body.generation = pin.generation
    body.epoch = state.epoch
    body.commit.commitID = Data(randomBytes(16))
    body.commit.baseSeq = pin.seq
    body.commit.generation = pin.generation
    body.commit.epoch = state.epoch
    body.commit.head = Data(head.seal(under: keys.keyring, uid: keys.uid))
    return body
  }

  /// Whether the server has the kit of `publicKey`: a refusal may be of a repeat, after a first
  /// request whose answer was lost.
  ///
  /// - Throws: `kitInDoubt` where an answer was lost and it cannot be asked.
  private func isKit(
    _ publicKey: [UInt8], _ session: Session, after refusal: APIError
  ) async throws(JournalError) -> Bool {
    do throws(APIError) {
      return try await session.api.keyring().slots.recoveryPublicKey == Data(publicKey)
    } catch {
      guard case .refused = refusal else { throw .kitInDoubt }
      return false
    }
  }
}
