// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

/// A wish for an account: where, and under which name.
public struct AccountWish: Equatable, Sendable {
  /// The server.
  public var server: ServerAddress
  /// The account's name: 3 to 64 of `a-z 0-9 . _ -`.
  public var name: String
  /// What a server asks for that takes accounts by invitation; else empty.
  public var invitation = ""

  /// A wish.
  public init(server: ServerAddress, name: String) {
    self.server = server
    self.name = name
  }
}

/// The recovery kit, to be shown once and kept on paper.
public struct RecoveryKit: ~Copyable, Sendable {
  /// The code as the kit shows it, 44 ASCII bytes.
  public let code: SecretBytes
  /// The server's name, which a recovery's proofs are bound to (SPEC §5); not its address.
  public let serverName: String
  /// The fingerprint of the vault's head, a lower bound for whoever uses the kit.
  public let fingerprint: String
}

extension SyncEngine {
  /// The server of `address`, as it introduces itself, as an account to be pinned.
  ///
  /// - Throws: `offline`, `notAServer`.
  func introduce(_ address: ServerAddress, name: String) async throws(JournalError)
    -> (account: ServerAccount, info: WireServerInfo)
  {
    let info: WireServerInfo
    do {
      info = try await VaultAPI(address, pace: settings.pace).server()
    } catch {
      throw JournalError(error)
    }
    guard info.receiptPublicKey.count == Ed25519.publicKeyBytes,
      info.opaquePublicKey.count == Ristretto255.bytes, info.suites.contains(1),
      (try? ServerName(info.serverName)) != nil
    else { throw .notAServer }
    guard (try? AccountName(name)) != nil else { throw JournalError(CredentialError.accountName) }
    return (
      ServerAccount(
        url: address.url, serverName: info.serverName, name: name,
        receiptKey: [UInt8](info.receiptPublicKey), opaqueKey: [UInt8](info.opaquePublicKey)),
      info
    )
  }

  /// A login at the journal's own account, whose keys must be ours; the session is kept.
  ///
  /// The local slot is written anew under the password that worked. A newer epoch is taken over
  /// only from a slot that the password opens, and only where it still opens what this device has.
  ///
  /// A copy that another device began after a deletion is another vault key that nothing but the
  /// password vouches for: it is followed where `options` allow that.
  ///
  /// - Throws: `wrongPassword`; `keysRefused` for another account or key under the same name;
  ///   `newGeneration` where the user is to be asked; `deleted`, `cloudDeleted`, `untrustedDeletion`.
  func enter(
    _ password: HeldPassword, _ options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> VaultAPI {
    var state = try journal.state()
    guard let account = state.account, let address = ServerAddress(account.url) else {
      throw .encryptionOff
    }
    var api = VaultAPI(address, pace: settings.pace)
    let login = try await ServerLogin.perform(
      api, account, password: password, profiles: try likelyProfiles())
    guard login.uid == state.uid else { throw .keysRefused }
    api.credential = login.credential
    if login.created.hasDeletion { throw try refused(login.created.deletion, api, state) }
    let slot = try login.openSlot()
    if try isAnotherCopy(slot, [UInt8](login.created.keyring), state) {
      guard options.allowsNewGeneration else { throw .newGeneration }
      try await takeCopy(of: account, login, password, options)
      return api
    }
    // A copy that the owner deleted is there again: the server was turned back.
    guard state.step != .cloudDeleted else { throw .rolledBack }
    let keyring = [UInt8](login.created.keyring)
    let keys = try joined(slot, keyring: keyring, state)
    guard let key = HeldKey(copying: slot.key) else { throw .keysRefused }
    try await LocalSlot.writeNew(
      key, password: password, account: account, profile: login.profile, base: slot.base,
      uid: state.uid, device: state.device, in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      try store.takeKeys(keys, keyring: keyring)
      try store.updateState {
        if $0.syncFault == .needsPassword { $0.syncFault = nil }
      }
      try store.setCredential(login.credential, with: keys)
    }
    try LocalSlot.adoptNew(in: journal.home)
    state = try journal.state()
    try journal.unlock(with: key.key)
    return api
  }

  /// What a deletion that a login shows means: believed only with a certificate of ours.
  private func refused(
    _ deletion: WireDeletion, _ api: VaultAPI, _ state: JournalState
  ) throws(JournalError) -> JournalError {
    let keys = try? journal.keys.unlocked()
    if let keys, let time = try journal.believeDeletion(deletion, keys) {
      seenDeletion = (deletion, api)
      return .deleted(at: time)
    }
    // A later copy was deleted too, under keys that this device never had.
    if state.step == .cloudDeleted { return .cloudDeleted }
    return keys == nil ? .locked : .untrustedDeletion
  }

  /// Whether the slot that the password opened is of a copy begun after the one that this device
  /// knows was deleted: a later generation, by the slot's own base, whose keyring does not continue
  /// this device's.
  private func isAnotherCopy(
    _ slot: borrowing Slot, _ keyring: [UInt8], _ state: JournalState
  ) throws(JournalError) -> Bool {
    guard slot.base.generation > (state.pin?.generation ?? 0) else { return false }
    guard state.step != .cloudDeleted else { return true }
    do throws(JournalError) {
      _ = try joined(slot, keyring: keyring, state)
      return false
    } catch {
      guard error == .keysRefused else { throw error }
      return true
    }
  }

  /// The costs in the order in which they are tried at a login: this device's last one first.
  private func likelyProfiles() throws(JournalError) -> [Profile] {
    let known = try LocalSlot.profile(in: journal.home)
    let profiles = journal.environment.profiles
    return profiles.filter { $0.id == known } + profiles.filter { $0.id != known }
  }

  /// The keyring of a slot that the password opened, where it continues this device's own.
  private func joined(
    _ slot: borrowing Slot, keyring: [UInt8], _ state: JournalState
  ) throws(JournalError) -> UnlockedKeys {
    guard slot.key.epoch >= state.epoch,
      let ring = try? Keyring.open(keyring, current: slot.key, uid: state.uid)
    else { throw .keysRefused }
    // The pinned head is sealed under a key that this device had: the ring must open it.
    if let pin = state.pin {
      let head = try journal.store.read { (store) throws(JournalError) in
        try store.head(generation: pin.generation, seq: pin.seq)
      }
      if let head, (try? Head(opening: head.blob, with: ring, uid: state.uid)) == nil {
        throw .keysRefused
      }
    }
    return UnlockedKeys(keyring: ring, uid: state.uid)
  }

  /// Ends what turning encryption on or joining began, once a sync went through: what was sealed
  /// under the old key is removed from the disk, then the old key.
  func finishSetup(_ progress: (SyncProgress) -> Void) throws(JournalError) {
    guard try journal.state().step == .syncing else { return }
    progress(SyncProgress(.cleaning))
    try journal.store.vacuum()
    try KeyFile.destroy(in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      try store.dropItem(Self.setupItem)
      try store.updateState { $0.step = .none }
    }
  }

  /// The name of the local item that holds the account's request while encryption is turned on.
  static let setupItem = "account-setup"
}
