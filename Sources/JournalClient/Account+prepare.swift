// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

// What turning encryption on makes before anything is sent or sealed anew.
extension SyncEngine {
  /// Makes key, head, slots and keyring, durable before the kit is shown; a kit that was not
  /// confirmed is void with all of them.
  func prepare(
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
      code: RecoveryCode.text(of: code), serverName: account.serverName,
      fingerprint: fingerprint(of: base, uid: state.uid))
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
  /// A later generation than any that this device pinned, on the head that it had pinned.
  private static func firstHead(_ state: JournalState, epoch: UInt32, now: Instant) -> Head {
    var empty = VaultRoot()
    return Head(
      first: (state.pin?.generation ?? 0) + 1, previous: state.pin?.hash ?? .zero,
      root: empty.digest(), records: 0, epoch: epoch, device: state.device,
      time: UInt64(clamping: now.milliseconds))
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
}
