// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Turns encryption on: makes the account, seals everything under its new key, pushes it, and
  /// removes what the old key could open.
  ///
  /// After a crash, the same call goes on.
  ///
  /// - Parameters:
  ///   - wish: The account; another name may be given after `nameTaken`.
  ///   - password: Opens the account and this device.
  ///   - confirm: Shows the recovery kit and says whether the user proved to have it.
  ///   - options: Hears of progress.
  /// - Throws: `encryptionOn`, `nameTaken`, `kitNotConfirmed`, `offline` and their like: what was
  ///   done stays, and nothing is lost.
  public func turnEncryptionOn(
    _ wish: AccountWish, password: borrowing SecretBytes,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    options: SyncOptions = SyncOptions()
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await exclusively { engine throws(JournalError) in
      let state = try engine.journal.state()
      if state.account == nil || state.step == .prepared || state.step == .cloudDeleted {
        try await engine.prepare(wish, password, confirm: confirm, options)
      }
      if try engine.journal.state().step == .confirmed {
        try await engine.sealUnderNewKey(password, options)
      }
      if try engine.journal.state().step == .sealed {
        try await engine.prepareRegistration(wish, password, options)
      }
      if try engine.journal.state().step == .registering {
        try await engine.register(password, options)
      }
      if try engine.journal.state().step == .beginning {
        try await engine.beginAgain(password)
      }
      let step = try engine.journal.state().step
      guard step == .registered || step == .syncing else { throw .encryptionOn }
      if step == .registered {
        options.progress(SyncProgress(.unlocking))
        _ = try await engine.enter(password)
        try engine.journal.store.write { (store) throws(JournalError) in
          try store.updateState { $0.step = .syncing }
        }
      }
      _ = try await engine.run(options, first: nil)
      try engine.finishSetup(options.progress)
    }
  }

  /// Makes key, head, slots and keyring, durable before the kit is shown; a kit that was not
  /// confirmed is void with all of them.
  private func prepare(
    _ wish: AccountWish, _ password: HeldPassword,
    confirm: @Sendable (borrowing RecoveryKit) async throws(JournalError) -> Bool,
    _ options: SyncOptions
  ) async throws(JournalError) {
    let keys = try journal.keys.unlocked()
    let (account, info) = try await introduce(wish.server, name: wish.name)
    let state = try journal.state()
    guard info.registration != .closed || state.pin != nil else {
      throw .serverProblem(.registrationClosed)
    }
    try password.checkNew(account)
    guard let profile = journal.environment.profiles.first else { throw .encryptionOff }
    // What an earlier try left is void; what opens the journal now stays.
    let before = state.step == .prepared ? try startingPoint(state) : state
    let key = HeldKey(VaultKey.make(epoch: state.epoch + 1))
    let ring = Keyring(current: key.key)
    let head = Self.firstHead(state, epoch: key.key.epoch, now: journal.environment.now())
    let headBlob = head.seal(under: ring, uid: state.uid)
    let base = HeadPoint(
      generation: head.generation, seq: 1, hash: Digest(ofBlob: headBlob.span))
    let code = RecoveryCode.make()
    let create = Self.request(
      wish, state, head: headBlob, base: base, key: key.key, ring: ring, code: code)
    options.progress(SyncProgress(.unlocking))
    try await LocalSlot.writeNew(
      key, password: password, account: account, profile: profile, base: base, uid: state.uid,
      device: state.device, in: journal.home)
    try journal.store.write { (store) throws(JournalError) in
      try store.setItem(Self.setupItem, VaultAPI.encode(create), with: keys)
      try store.updateState {
        $0.account = account
        $0.step = .prepared
      }
    }
    let kit = RecoveryKit(
      code: RecoveryCode.text(of: code), fingerprint: fingerprint(of: base, uid: state.uid))
    guard try await confirm(kit) else {
      try journal.store.write { (store) throws(JournalError) in
        try store.dropItem(Self.setupItem)
        try store.updateState {
          $0.account = before.account
          $0.step = before.step
        }
      }
      try journal.home.remove(journal.home.newSlotFile)
      throw .kitNotConfirmed
    }
    try advance(to: .confirmed)
  }

  /// Head 1: nothing is in the vault yet.
  ///
  /// A later generation than any that this device pinned.
  private static func firstHead(_ state: JournalState, epoch: UInt32, now: Instant) -> Head {
    var empty = VaultRoot()
    return Head(
      first: (state.pin?.generation ?? 0) + 1, root: empty.digest(), records: 0, epoch: epoch,
      device: state.device, time: UInt64(clamping: now.milliseconds))
  }

  /// The request for the account, but for what the password makes.
  private static func request(
    _ wish: AccountWish, _ state: JournalState, head: [UInt8], base: HeadPoint,
    key: borrowing VaultKey, ring: borrowing Keyring, code: borrowing SecretBytes
  ) -> WireAccountCreate {
    var create = WireAccountCreate()
    create.name = wish.name
    create.invitation = wish.invitation
    create.uid = state.uid.data
    create.generation = base.generation
    create.epoch = key.epoch
    create.commit.commitID = Data(randomBytes(16))
    create.commit.generation = base.generation
    create.commit.epoch = key.epoch
    create.commit.head = Data(head)
    let signing = Ed25519.SigningKey(seed: SlotKey.recoverySeed(code, uid: state.uid))
    create.slots.recoveryPublicKey = Data(signing.publicKey)
    create.slots.recoverySlot = Data(
      Slot.seal(
        key, profile: 0, base: base, as: .recovery,
        under: SlotKey.recovery(code, uid: state.uid), uid: state.uid))
    create.slots.keyring = Data(ring.sealOlder(seq: base.seq, uid: state.uid))
    return create
  }

  /// Seals everything here under the new key, in one transaction: all of it is under the old key
  /// or all under the new one, and both can be read until the old one's file goes.
  private func sealUnderNewKey(
    _ password: HeldPassword, _ options: SyncOptions
  ) async throws(JournalError) {
    let old = try journal.keys.unlocked()
    let state = try journal.state()
    options.progress(SyncProgress(.unlocking))
    let key = try await LocalSlot.open(
      password: password, state, epoch: state.epoch + 1, profiles: journal.environment.profiles,
      in: journal.home)
    let new = UnlockedKeys(keyring: Keyring(current: key.key), uid: state.uid)
    try journal.store.write { (store) throws(JournalError) in
      guard try store.state()?.epoch == old.keyring.epoch else { throw .keysChanged }
      try store.sealAnew(from: old, to: new, device: state.device, progress: options.progress)
      try store.updateState {
        $0.epoch = key.key.epoch
        $0.step = .sealed
      }
    }
    // Not before: until then a present slot is what opens the journal.
    try LocalSlot.adoptAnyNew(in: journal.home)
    try journal.unlock(with: key.key)
  }

  /// Makes the password's part of the request, which is stored before it is first sent.
  private func prepareRegistration(
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
  private func register(
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
      guard let login, login.uid == keys.uid, (try? login.openSlot()) != nil else {
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

  /// The stored request.
  ///
  /// - Throws: `damagedStore` where it is gone.
  func setup(_ keys: UnlockedKeys) throws(JournalError) -> WireAccountCreate {
    let item = try journal.store.read { (store) throws(JournalError) -> [UInt8]? in
      guard let item = try store.item(Self.setupItem, with: keys) else { return nil }
      return item.withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }
    guard let item, let create = try? VaultAPI.decode(item) as WireAccountCreate else {
      throw .damagedStore
    }
    return create
  }

  /// The keys, unlocked with the password where they are locked.
  func unlockedKeys(_ password: HeldPassword) async throws(JournalError) -> UnlockedKeys {
    if let keys = try? journal.keys.unlocked(),
      try keys.keyring.epoch == journal.state().epoch
    {
      return keys
    }
    let key = try await LocalSlot.open(
      password: password, try journal.state(), profiles: journal.environment.profiles,
      in: journal.home)
    try journal.unlock(with: key.key)
    return try journal.keys.unlocked()
  }

  func advance(to step: AccountStep) throws(JournalError) {
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState { $0.step = step }
    }
  }
}
