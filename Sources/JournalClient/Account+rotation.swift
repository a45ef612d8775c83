// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

// "Someone may know my password" (KEYFLOW.md §8). Once the kit is confirmed, the next slot and the
// whole request are on the disk, and only then is it sent; whether it was taken is found out by
// logging in. What follows, sealing every record anew, is any device's next sync.
extension SyncEngine {
  /// Makes a new vault key, under another password and with another recovery kit.
  ///
  /// All other sessions end, and every other device asks for the new password. Records are sealed
  /// anew by the syncs that follow. After a crash or a lost answer, the same call goes on, without
  /// another kit where that one was confirmed.
  ///
  /// - Parameters:
  ///   - present: The password until now.
  ///   - new: Another one.
  ///   - confirm: Shows the new recovery kit and says whether the user proved to have it.
  ///   - options: Hears of progress.
  /// - Throws: `wrongPassword` for the present one; `badInput` for what no new one may be;
  ///   `kitNotConfirmed`, and then nothing changed; `passwordInDoubt` where the server's answer was
  ///   lost and cannot be asked for; `offline` and its like.
  public func rotateKeys(
    from present: borrowing SecretBytes, to new: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let (present, new) = (HeldPassword(present), HeldPassword(new))
    try await operation(present) { engine throws(JournalError) in
      guard let account = try engine.journal.state().account else { throw .encryptionOff }
      try new.checkNew(account)
      guard !new.matches(present) else { throw .badInput("the password that may be known") }
      options.progress(SyncProgress(.unlocking))
      guard try await !engine.goOnRotating(from: present, to: new, options) else { return }
      try await engine.rotate(from: present, to: new, confirm: confirm, options)
    }
  }

  /// The whole of it; not fresh is a session whose start-over is due, in the place of a login with
  /// the present password.
  func rotate(
    from present: HeldPassword, to new: HeldPassword, isFresh: Bool = true,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    _ options: SyncOptions
  ) async throws(JournalError) {
    let began = ContinuousClock.now
    if isFresh { _ = try await enter(present) }
    let session = try session()
    var api = session.api
    _ = try await sendFrozen(session)
    _ = try await pull(session, options, first: nil)
    let state = try journal.state()
    guard let pin = state.pin, let account = state.account else { throw .incomplete }
    let key = HeldKey(VaultKey.make(epoch: state.epoch + 1))
    let code = RecoveryCode.make()
    let kit = RecoveryKit(
      code: RecoveryCode.text(of: code), serverName: account.serverName,
      fingerprint: fingerprint(of: pin, uid: state.uid))
    guard try await confirm(kit) else { throw .kitNotConfirmed }
    options.progress(SyncProgress(.unlocking))
    // A login ages while a kit is written down.
    if isFresh, began.duration(to: .now) > .seconds(120) { api = try await enter(present) }
    let profile = try profileForNewPassword()
    let registered = try await Registration.perform(api, account, password: new, profile: profile)
    var body = WireCredentialsPut()
    body.registrationRecord = Data(registered.record)
    body.profile = UInt32(profile.id)
    body.slots.passwordSlot = Data(
      registered.passwordSlot(of: key.key, profile: profile, base: pin, uid: state.uid))
    let signing = Ed25519.SigningKey(seed: SlotKey.recoverySeed(code, uid: state.uid))
    body.slots.recoveryPublicKey = Data(signing.publicKey)
    body.slots.recoverySlot = Data(
      Slot.seal(
        key.key, profile: 0, base: pin, as: .recovery,
        under: SlotKey.recovery(code, uid: state.uid), uid: state.uid))
    let rotation = Rotation(
      key: key, keys: try Self.joined(session.keys, key), old: session.keys, password: new,
      account: account, profile: profile)
    try stand(&body, rotation)
    try await keep(body, rotation)
    try await put(body, rotation, from: present, api, options)
  }

  /// What a rotation works with.
  struct Rotation {
    /// The new key.
    let key: HeldKey
    /// It, and the older ones.
    let keys: UnlockedKeys
    /// The older ones alone.
    let old: UnlockedKeys
    let password: HeldPassword
    let account: ServerAccount
    let profile: Profile
  }

  /// `old` and the next epoch's key.
  private static func joined(
    _ old: UnlockedKeys, _ key: HeldKey
  ) throws(JournalError) -> UnlockedKeys {
    guard let ring = try? old.keyring.adding(key.key) else { throw .keysChanged }
    return UnlockedKeys(keyring: ring, uid: old.uid)
  }

  /// Puts the request on the present head: the new epoch's first head over the same rows, and the
  /// keyring, each sealed under the new key.
  private func stand(
    _ body: inout WireCredentialsPut, _ rotation: Rotation
  ) throws(JournalError) {
    let keys = rotation.keys
    let state = try journal.state()
    guard let pin = state.pin, state.fits(rotation.old) else { throw .keysChanged }
    var rows = try rootAt(pin)
    let stored = try journal.store.read { (store) throws(JournalError) in
      try store.head(generation: pin.generation, seq: pin.seq)
    }
    guard let stored, let last = try? Head(opening: stored.blob, with: keys.keyring, uid: keys.uid)
    else { throw .incomplete }
    let head = last.next(
      after: pin.hash, root: rows.digest(), records: UInt32(clamping: rows.count),
      epoch: keys.keyring.epoch, device: state.device,
      time: UInt64(clamping: journal.environment.now().milliseconds))
    body.generation = pin.generation
    body.epoch = keys.keyring.epoch
    body.slots.keyring = Data(keys.keyring.sealOlder(seq: pin.seq, uid: keys.uid))
    body.commit = WireCommit()
    body.commit.commitID = Data(randomBytes(16))
    body.commit.baseSeq = pin.seq
    body.commit.generation = body.generation
    body.commit.epoch = body.epoch
    body.commit.head = Data(head.seal(under: keys.keyring, uid: keys.uid))
  }

  /// Makes the next slot and the request durable: the key is in the one, all else in the other.
  private func keep(
    _ body: WireCredentialsPut, _ rotation: Rotation
  ) async throws(JournalError) {
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    try await LocalSlot.writeNew(
      rotation.key, password: rotation.password, account: rotation.account,
      profile: rotation.profile, base: pin, uid: state.uid, device: state.device, in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.writableState(rotation.old)
      try store.setItem(Self.rotationItem, VaultAPI.encode(body), with: rotation.old)
    }
  }

  /// Sends the request until it is taken, refused, or its answer lost.
  private func put(
    _ first: WireCredentialsPut, _ rotation: Rotation, from present: HeldPassword,
    _ api: VaultAPI, _ options: SyncOptions
  ) async throws(JournalError) {
    var body = first
    for attempt in 1... {
      let refusal: APIError
      do throws(APIError) {
        let standing = try await api.keyring()
        try await api.putCredentials(
          VaultAPI.encode(body), tag: [UInt8](standing.keyringEtag))
        break
      } catch {
        refusal = error
      }
      guard refusal.problem == .preconditionFailed, attempt < settings.conflictTries else {
        return try await findOut(rotation, from: present, after: JournalError(refusal))
      }
      do throws(JournalError) {
        _ = try await pull(try session(), options, first: nil)
      } catch {
        return try await findOut(rotation, from: present, after: error)
      }
      // Another head: it and the keyring are sealed anew, the rest is the same.
      try stand(&body, rotation)
      try await keep(body, rotation)
    }
    try adopt(body, rotation, api)
  }

  /// The new key is the vault's: it is this journal's from now on.
  private func adopt(
    _ body: WireCredentialsPut, _ rotation: Rotation, _ api: VaultAPI
  ) throws(JournalError) {
    let head = [UInt8](body.commit.head)
    let point = HeadPoint(
      generation: body.generation, seq: body.commit.baseSeq + 1, hash: Digest(ofBlob: head.span))
    let now = journal.environment.now()
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.writableState(rotation.old)
      try store.takeKeys(rotation.keys, keyring: [UInt8](body.slots.keyring))
      if let credential = api.credential {
        try store.setCredential(credential, with: rotation.keys)
      }
      try store.setHead(head, at: point)
      try store.pruneHeads(before: point)
      try store.log(
        ActivityEvent(.account, time: now, detail: "the keys were changed"), rotation.keys)
      try store.updateState { $0.pin = point }
    }
    if let root { self.root = (root.rows, point) }
    try LocalSlot.adoptNew(in: journal.home)
    try journal.unlock(with: rotation.key.key)
  }

  /// Whether the keys were changed, by logging in; where they were not, all stays ready for the same
  /// call again, unless the server can never take it.
  private func findOut(
    _ rotation: Rotation, from present: HeldPassword, after refusal: JournalError
  ) async throws(JournalError) {
    do throws(JournalError) {
      try await findOut(which: present, or: rotation.password, after: refusal)
    } catch {
      guard error != .passwordInDoubt else { throw error }
      guard error.passesByItself || error == .serverProblem(.preconditionFailed) else {
        try journal.store.write { (store) throws(JournalError) in
          try store.dropItem(Self.rotationItem)
        }
        throw error
      }
      let state = try journal.state()
      guard let pin = state.pin else { throw .incomplete }
      try await LocalSlot.writeNew(
        rotation.key, password: rotation.password, account: rotation.account,
        profile: rotation.profile, base: pin, uid: state.uid, device: state.device,
        in: journal.home)
      throw error
    }
  }

  /// Goes on with a request that was stored and perhaps sent.
  ///
  /// - Returns: Whether the keys are changed; false where there is nothing to go on with, or it was
  ///   made for another new password.
  private func goOnRotating(
    from present: HeldPassword, to new: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) -> Bool {
    let state = try journal.state()
    guard let account = state.account, try isRotationStored() else { return false }
    let old = try await unlockedKeys(present)
    let stored = try journal.store.read { (store) throws(JournalError) -> [UInt8]? in
      try store.item(Self.rotationItem, with: old)?.withBytes { bytes in
        bytes.indices.map { bytes[$0] }
      }
    }
    guard let stored, let body = try? VaultAPI.decode(stored) as WireCredentialsPut,
      let profile = journal.environment.profiles.first(where: { UInt32($0.id) == body.profile })
    else { return false }
    let head = [UInt8](body.commit.head)
    let opened = try? await LocalSlot.open(
      password: new, state, profiles: journal.environment.profiles, in: journal.home,
      where: { (try? Head(opening: head, with: Keyring(current: $0), uid: state.uid)) != nil })
    guard let key = opened?.key else { return false }
    let api = try await enter(new, or: present)
    if try journal.state().epoch >= body.epoch { return true }
    let rotation = Rotation(
      key: key, keys: try Self.joined(try journal.keys.unlocked(), key),
      old: try journal.keys.unlocked(), password: new, account: account, profile: profile)
    // Logging in has written a slot in the place of the one that was ready.
    try await keep(body, rotation)
    try await put(body, rotation, from: present, api, options)
    return true
  }

  /// A login with the new password first: that it works tells that it was taken.
  private func enter(
    _ new: HeldPassword, or present: HeldPassword
  ) async throws(JournalError) -> VaultAPI {
    do throws(JournalError) {
      return try await enter(new)
    } catch {
      guard error == .wrongPassword else { throw error }
      return try await enter(present)
    }
  }

  private func isRotationStored() throws(JournalError) -> Bool {
    try journal.store.read { (store) throws(JournalError) in
      try store.sealedItem(Self.rotationItem) != nil
    }
  }

  /// The name of the local item that holds a rotation's request until it is known to be taken.
  static let rotationItem = "rotation"
}
