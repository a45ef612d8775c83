// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

// The request that makes the account: stored, then sent, byte for byte the same each time.
extension SyncEngine {
  /// Makes the password's part of the request, which is stored before it is first sent.
  func prepareRegistration(
    _ wish: AccountWish, _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let keys = try await unlockedKeys(password)
    var state = try journal.state()
    guard var account = state.account, let profile = journal.environment.profiles.first else {
      throw .encryptionOff
    }
    var create = try setup(keys)
    options.progress(SyncProgress(.unlocking))
    let headHash = Digest(ofBlob: [UInt8](create.commit.head).span)
    let base = HeadPoint(generation: create.generation, seq: 1, hash: headHash)
    if wish.name != account.name || wish.server.url != account.url {
      // The local slot is bound to name and server, and nothing else that was sealed is.
      account = try await introduce(wish.server, name: wish.name).account
      try await writeSlot(password, account, profile, base, state)
      try journal.store.write { (store) throws(JournalError) in
        try store.updateState { $0.account = account }
      }
      try LocalSlot.adoptNew(in: journal.home)
      state = try journal.state()
      create.name = wish.name
      create.invitation = wish.invitation
    }
    guard let address = ServerAddress(account.url) else { throw .badInput("the server's address") }
    let registered: Registration
    do throws(JournalError) {
      registered = try await Registration.perform(
        VaultAPI(address, pace: settings.pace), account, password: password, profile: profile)
    } catch {
      // Our own name, whose cloud copy we deleted: a new copy is begun under it.
      guard state.pin != nil,
        error == .nameTaken || error == .serverProblem(.registrationClosed)
      else { throw error }
      return try await prepareBeginning(create, account, password)
    }
    create.registrationRecord = Data(registered.record)
    create.profile = UInt32(profile.id)
    create.slots.passwordSlot = Data(
      registered.passwordSlot(
        of: keys.keyring.currentKey(), profile: profile, base: base, uid: state.uid))
    try journal.store.write { (store) throws(JournalError) in
      try store.setItem(Self.setupItem, VaultAPI.encode(create), with: keys)
      try store.updateState { $0.step = .registering }
    }
  }

  private func writeSlot(
    _ password: HeldPassword, _ account: ServerAccount, _ profile: Profile, _ base: HeadPoint,
    _ state: JournalState
  ) async throws(JournalError) {
    guard let key = HeldKey(copying: try journal.keys.unlocked().keyring.currentKey()) else {
      throw .locked
    }
    try await LocalSlot.writeNew(
      key, password: password, account: account, profile: profile, base: base, uid: state.uid,
      device: state.device, in: journal.home)
  }

  /// Sends the stored request, byte for byte the same each time.
  func register(
    _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let keys = try await unlockedKeys(password)
    guard let account = try journal.state().account, let address = ServerAddress(account.url)
    else { throw .encryptionOff }
    let create = try setup(keys)
    let api = VaultAPI(address, pace: settings.pace)
    do {
      _ = try await api.createAccount(VaultAPI.encode(create))
    } catch {
      guard error.problem == .nameTaken else { throw JournalError(error) }
      // Ours, if an answer was lost and a later password change voided the repeat.
      let login = try? await ServerLogin.perform(
        api, account, password: password, profiles: journal.environment.profiles)
      guard let login, login.opensVault(begunBy: create, keys) else {
        try advance(to: .sealed)
        throw .nameTaken
      }
    }
    try enterFirstHead(of: create)
  }

  /// The vault is there, at head 1, which this device made.
  func enterFirstHead(of create: WireAccountCreate) throws(JournalError) {
    let head = [UInt8](create.commit.head)
    let point = HeadPoint(
      generation: create.generation, seq: 1, hash: Digest(ofBlob: head.span))
    root = nil
    try journal.store.write { (store) throws(JournalError) in
      try store.setHead(head, at: point)
      try store.setKeyring([UInt8](create.slots.keyring), epoch: create.epoch)
      try store.dropKeyrings(except: create.epoch)
      try store.updateState {
        $0.pin = point
        $0.cursor = []
        $0.step = .registered
      }
    }
  }
}
