// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

// A forgotten password (KEYFLOW.md §8): the kit opens the vault without a session, and a rotation
// replaces it and the password. Once the new kit is confirmed, the new key (in this device's next
// slot) and the whole request are on the disk, and only then is it sent; whether it was taken is
// found out by logging in with the new password. What follows is an ordinary login or join.
extension SyncEngine {
  /// Opens the account with its recovery kit, and gives it another password and another kit.
  ///
  /// On a device that has the journal, whatever waits there stays and is merged; on another one the
  /// account is joined. All sessions end; the other devices ask for the new password. After a crash
  /// or a lost answer the same call goes on, without another kit where that one was confirmed.
  ///
  /// - Parameters:
  ///   - wish: The account; `nil` for the one that this journal belongs to.
  ///   - code: The recovery code as typed.
  ///   - newPassword: Another password.
  ///   - confirm: Shows the new recovery kit and says whether the user proved to have it.
  ///   - options: Hears of progress.
  /// - Returns: What the sync brought that follows.
  /// - Throws: `badCode`, `kitRefused`; `kitNotConfirmed`, and then nothing changed;
  ///   `recoveryInDoubt`; `keysRefused`, `rolledBack`, `forked`, `incomplete` where the server lies;
  ///   `encryptionOff` where no account is named, `encryptionOn` for another than this journal's;
  ///   `offline` and its like.
  @discardableResult
  public func recover(
    _ wish: AccountWish?, code: borrowing SecretBytes, newPassword: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> SyncReport {
    let code = try HeldCode(typed: code)
    let password = HeldPassword(newPassword)
    return try await operation(password) { engine throws(JournalError) in
      let account = try await engine.account(toRecover: wish)
      try password.checkNew(account)
      options.progress(SyncProgress(.unlocking))
      do throws(JournalError) {
        try await engine.recover(account, code, password, confirm: confirm, options)
      } catch {
        guard error == .kitRefused else { throw error }
        // Spent by an earlier call, which was cut after all of it was done.
        try await engine.findOut(account, password, after: error, options)
      }
      var options = options
      if try engine.journal.state().step == .syncing {
        // Without memory of another one, the present generation is the one to join.
        options.allowsNewGeneration = true
      }
      let report = try await engine.run(options, first: nil)
      try engine.finishSetup(options.progress)
      return report
    }
  }

  /// The account as it is known here, or as its server introduces itself.
  private func account(toRecover wish: AccountWish?) async throws(JournalError) -> ServerAccount {
    let state = try journal.state()
    guard let known = state.account, state.step != .cloudDeleted else {
      guard let wish else { throw .encryptionOff }
      // Joining seals everything here anew.
      _ = try journal.keys.unlocked()
      return try await introduce(wish.server, name: wish.name).account
    }
    guard !state.step.isBeforeAccount else { throw .setupUnfinished }
    guard let wish else { return known }
    guard wish.name == known.name else { throw .encryptionOn }
    guard wish.server.url != known.url else { return known }
    let found = try await introduce(wish.server, name: known.name).account
    guard found.serverName == known.serverName, found.receiptKey == known.receiptKey,
      found.opaqueKey == known.opaqueKey
    else { throw .wrongServer }
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState { $0.account?.url = found.url }
    }
    return found
  }

  private func recover(
    _ account: ServerAccount, _ code: HeldCode, _ password: HeldPassword,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    _ options: SyncOptions
  ) async throws(JournalError) {
    var replacement = try await storedReplacement(password, account)
    if replacement != nil {
      do throws(JournalError) {
        return try await enterRecovered(account, password, options)
      } catch {
        guard error == .wrongPassword else { throw error }
      }
    }
    var vault: OpenedVault?
    if let stored = replacement {
      let found = try await openVault(
        of: account, with: code, element: Registration.element(account, password))
      vault = found
      // Another rotation came in between: what was prepared is void.
      if found.uid != stored.uid || found.keys.keyring.epoch + 1 != stored.body.epoch {
        replacement = nil
      }
    }
    if replacement == nil {
      (replacement, vault) = try await makeReplacement(account, code, password, confirm: confirm)
    }
    guard var replacement, var vault else { throw .incomplete }
    for attempt in 1... {
      try replacement.stand(on: vault, by: journal)
      try await keep(replacement, password, account, vault)
      do throws(APIError) {
        try await put(replacement.body, vault, code, account)
        break
      } catch {
        let isStale = error.problem == .preconditionFailed || error.problem == .unauthorized
        guard isStale, attempt < settings.conflictTries else {
          return try await findOut(account, password, after: JournalError(error), options)
        }
      }
      do throws(JournalError) {
        // Somebody committed in between, or the nonce had its time.
        vault = try await openVault(
          of: account, with: code, element: Registration.element(account, password))
        guard vault.keys.keyring.epoch + 1 == replacement.body.epoch else { throw .keysChanged }
      } catch {
        return try await findOut(account, password, after: error, options)
      }
    }
    try await enterRecovered(account, password, options)
  }

  /// Opens the vault, makes what replaces its key, password and kit, and has the kit confirmed.
  private func makeReplacement(
    _ account: ServerAccount, _ code: HeldCode, _ password: HeldPassword,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool
  ) async throws(JournalError) -> (Replacement, OpenedVault) {
    let profile = try profileForNewPassword()
    var opened: OpenedVault?
    let registered = try await Registration.perform(account, password: password, profile: profile) {
      (element) throws(JournalError) in
      let vault = try await openVault(of: account, with: code, element: element)
      opened = vault
      return vault.evaluated
    }
    guard let vault = opened else { throw .incomplete }
    let base = try lowerBound(of: vault)
    let key = HeldKey(VaultKey.make(epoch: vault.keys.keyring.epoch + 1))
    let newCode = RecoveryCode.make()
    let kit = RecoveryKit(
      code: RecoveryCode.text(of: newCode), serverName: account.serverName,
      fingerprint: fingerprint(of: base, uid: vault.uid))
    guard try await confirm(kit) else { throw .kitNotConfirmed }
    var body = WireCredentialsPut()
    body.registrationRecord = Data(registered.record)
    body.profile = UInt32(profile.id)
    body.slots.passwordSlot = Data(
      registered.passwordSlot(of: key.key, profile: profile, base: base, uid: vault.uid))
    let signing = Ed25519.SigningKey(seed: SlotKey.recoverySeed(newCode, uid: vault.uid))
    body.slots.recoveryPublicKey = Data(signing.publicKey)
    body.slots.recoverySlot = Data(
      Slot.seal(
        key.key, profile: 0, base: base, as: .recovery,
        under: SlotKey.recovery(newCode, uid: vault.uid), uid: vault.uid))
    return (Replacement(uid: vault.uid, key: key, profile: profile, base: base, body: body), vault)
  }

  /// The newest head that is known to be the vault's: the slot's, or this device's pin.
  private func lowerBound(of vault: OpenedVault) throws(JournalError) -> HeadPoint {
    let state = try journal.state()
    guard vault.uid == state.uid, let pin = state.pin, pin.generation == vault.base.generation,
      pin.seq > vault.base.seq
    else { return vault.base }
    return pin
  }

  /// Makes the new key, in this device's next slot, and the request durable.
  private func keep(
    _ replacement: Replacement, _ password: HeldPassword, _ account: ServerAccount,
    _ vault: OpenedVault
  ) async throws(JournalError) {
    let keys = try replacement.keys(with: vault)
    try await LocalSlot.writeNew(
      replacement.key, password: password, account: account, profile: replacement.profile,
      base: replacement.base, uid: replacement.uid, device: try journal.state().device,
      in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      _ = try store.setItem(Self.recoveryItem, VaultAPI.encode(replacement.body), with: keys)
    }
  }

  private func put(
    _ body: WireCredentialsPut, _ vault: OpenedVault, _ code: HeldCode, _ account: ServerAccount
  ) async throws(APIError) {
    guard let address = ServerAddress(account.url) else { throw .garbled }
    let hash = RecoveryProof.requestHash(
      record: [UInt8](body.registrationRecord), passwordSlot: [UInt8](body.slots.passwordSlot),
      recoverySlot: [UInt8](body.slots.recoverySlot),
      recoveryKey: [UInt8](body.slots.recoveryPublicKey), keyring: [UInt8](body.slots.keyring),
      head: [UInt8](body.commit.head))
    let proof = try? vault.proof(by: code, at: account) { (scope) throws(KeyExchangeError) in
      try .replace(scope, keyringETag: vault.tag, requestHash: hash)
    }
    guard let proof else { throw .garbled }
    var body = body
    body.recovery = proof
    let api = VaultAPI(address, pace: settings.pace)
    try await api.putCredentials(VaultAPI.encode(body), tag: vault.tag)
  }

  /// Whether the request was taken, by logging in with the new password.
  ///
  /// - Throws: `refusal` where it was not; `recoveryInDoubt` where the server cannot be asked.
  private func findOut(
    _ account: ServerAccount, _ password: HeldPassword, after refusal: JournalError,
    _ options: SyncOptions
  ) async throws(JournalError) {
    do throws(JournalError) {
      try await enterRecovered(account, password, options)
    } catch {
      switch error {
      case .wrongPassword: throw refusal
      case .offline, .serverProblem, .notAServer: throw .recoveryInDoubt
      default: throw error
      }
    }
  }

  /// Logs in with the new password: in place, where this journal is the account's, else by joining.
  private func enterRecovered(
    _ account: ServerAccount, _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let state = try journal.state()
    if state.account != nil, state.step != .cloudDeleted {
      _ = try await enter(password)
      if state.step == .registered { try advance(to: .syncing) }
    } else {
      guard let address = ServerAddress(account.url) else {
        throw .badInput("the server's address")
      }
      try await enterVault(AccountWish(server: address, name: account.name), password, options)
    }
    let keys = try journal.keys.unlocked()
    let now = journal.environment.now()
    try journal.store.write { (store) throws(JournalError) in
      try store.dropItem(Self.recoveryItem)
      try store.log(
        ActivityEvent(.account, time: now, detail: "the recovery kit was used"), keys)
    }
  }

  /// A request that was stored and perhaps sent, where `password` is the new one that it was made
  /// for.
  private func storedReplacement(
    _ password: HeldPassword, _ account: ServerAccount
  ) async throws(JournalError) -> Replacement? {
    let home = journal.home
    let item = try journal.store.read { (store) throws(JournalError) in
      try store.sealedItem(Self.recoveryItem)
    }
    guard let item, let bytes = try home.read(home.newSlotFile, limit: LocalFile.count),
      let file = try? LocalFile(bytes)
    else { return nil }
    var state = try journal.state()
    state.account = account
    state.uid = file.uid
    let uid = file.uid
    let opened = try? await LocalSlot.open(
      password: password, state, profiles: journal.environment.profiles, in: home,
      where: { key in
        let ring = Keyring(current: key)
        return
          (try? ring.open(
            item.blob.span, .localItem, oid: item.oid, revision: nil, uid: uid)) != nil
      })
    guard let key = opened?.key else { return nil }
    let ring = Keyring(current: key.key)
    let content = try? ring.open(item.blob.span, .localItem, oid: item.oid, revision: nil, uid: uid)
    guard let content else { return nil }
    let request = content.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    guard let body = try? VaultAPI.decode(request) as WireCredentialsPut,
      let profile = journal.environment.profiles.first(where: { UInt32($0.id) == body.profile })
    else { return nil }
    // The slots in the request are bound to it; this device's own slot will do with any.
    let base = HeadPoint(
      generation: body.generation, seq: body.commit.baseSeq,
      hash: (try? Head(opening: [UInt8](body.commit.head), with: ring, uid: uid))?.previous ?? .zero
    )
    return Replacement(
      uid: uid, key: key, profile: profile, base: base, body: body)
  }

  /// The name of the local item that holds a recovery's request until it is known to be taken.
  static let recoveryItem = "recovery"
}
