// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

/// A vault that a recovery code opened, without a session: its keys, and the head that the server
/// shows, checked as far as a head can be checked alone.
struct OpenedVault: Sendable {
  let uid: ObjectID
  /// The keys of all epochs.
  let keys: UnlockedKeys
  /// The newest head as shown, of the newest epoch, and where it stands.
  let head: Head
  let point: HeadPoint
  /// The head that the slot's writer had verified: the shown one is not older.
  let base: HeadPoint
  /// The keyring's tag, for `If-Match`.
  let tag: [UInt8]
  /// The nonce for what follows.
  let nonce: [UInt8]
  /// What the name's OPRF makes of the element that was sent.
  let evaluated: [UInt8]

  /// Checks what the server gave for `uid`.
  ///
  /// - Throws: `keysRefused` where the code opens nothing of it, `rolledBack`, `forked`,
  ///   `incomplete` where the head is not that vault's.
  init(
    _ opened: WireRecoveryOpened, of uid: ObjectID, by code: HeldCode
  ) throws(JournalError) {
    let vault = opened.vault
    guard
      let slot = try? Slot.open(
        [UInt8](opened.recoverySlot), as: .recovery, under: code.slotKey(uid), uid: uid),
      slot.key.epoch == vault.epoch, slot.base.generation <= vault.generation,
      let ring = try? Keyring.open([UInt8](opened.keyring), current: slot.key, uid: uid)
    else { throw .keysRefused }
    guard opened.keyringEtag.count == Digest.count, opened.nonce.count == 32 else {
      throw .notAServer
    }
    let blob = [UInt8](vault.head)
    guard let head = try? Head(opening: blob, with: ring, uid: uid),
      head.generation == vault.generation, head.seq == vault.seq
    else { throw .incomplete }
    // An ended epoch's key writes nothing any more.
    guard head.epoch == slot.key.epoch else { throw .forked }
    self.uid = uid
    self.head = head
    point = HeadPoint(
      generation: head.generation, seq: head.seq, hash: Digest(ofBlob: blob.span))
    base = slot.base
    keys = UnlockedKeys(keyring: ring, uid: uid)
    tag = [UInt8](opened.keyringEtag)
    nonce = [UInt8](opened.nonce)
    evaluated = [UInt8](opened.response)
    try checkNotBefore(base)
  }

  /// - Throws: `rolledBack` where the shown head is older than `bound`; `forked` where it stands at
  ///   its place or right above it, and is another one or names another.
  func checkNotBefore(_ bound: HeadPoint) throws(JournalError) {
    guard point.generation >= bound.generation else { throw .rolledBack }
    guard point.generation == bound.generation else { return }
    guard point.seq >= bound.seq else { throw .rolledBack }
    let named = point.seq == bound.seq ? point.hash : head.previous
    guard point.seq > bound.seq + 1 || named == bound.hash else { throw .forked }
  }

  /// A proof of the code's holder for what follows.
  ///
  /// - Throws: `notAServer` for a name or nonce of another form.
  func proof(
    by code: HeldCode, at account: ServerAccount,
    _ statement: (RecoveryProof.Scope) throws(KeyExchangeError) -> RecoveryProof
  ) throws(JournalError) -> WireRecoveryProof {
    try WireRecoveryProof(signing: statement, nonce: nonce, uid: uid, by: code, at: account)
  }
}

extension WireRecoveryProof {
  /// The proof of `statement`, signed by the code's holder.
  ///
  /// - Throws: `notAServer` for a name or nonce of another form.
  init(
    signing statement: (RecoveryProof.Scope) throws(KeyExchangeError) -> RecoveryProof,
    nonce: [UInt8], uid: ObjectID, by code: HeldCode, at account: ServerAccount
  ) throws(JournalError) {
    self.init()
    guard let server = try? ServerName(account.serverName),
      let scope = try? RecoveryProof.Scope(server: server, uid: uid.bytes, nonce: nonce),
      let proof = try? statement(scope)
    else { throw .notAServer }
    self.uid = uid.data
    self.nonce = Data(nonce)
    signature = Data(proof.signed(by: code.signingKey(uid)))
  }
}

extension SyncEngine {
  /// Opens the vault of `account` with its recovery code, which changes nothing there.
  ///
  /// `element` is what the name's OPRF is to evaluate. Where this device has that account's journal,
  /// what was opened must be the same vault, and its head none that this device knows to be false.
  ///
  /// - Throws: `kitRefused` where the server has no such account, or another kit for it;
  ///   `keysRefused`, `rolledBack`, `forked`, `incomplete` where it lies; `offline` and its like.
  func openVault(
    of account: ServerAccount, with code: HeldCode, element: [UInt8]
  ) async throws(JournalError) -> OpenedVault {
    guard let address = ServerAddress(account.url) else { throw .badInput("the server's address") }
    let api = VaultAPI(address, pace: settings.pace)
    let state = try journal.state()
    let isOurs = state.account != nil && state.step != .cloudDeleted
    let uid: ObjectID
    let opened: WireRecoveryOpened
    do {
      let started = try await api.startRecovery(name: account.name)
      guard let named = ObjectID(started.uid) else { throw JournalError.notAServer }
      guard !isOurs || named == state.uid else { throw JournalError.keysRefused }
      var open = WireRecoveryOpen()
      open.name = account.name
      open.request = Data(element)
      open.proof = try WireRecoveryProof(
        signing: { scope in .open(scope, element: element) }, nonce: [UInt8](started.nonce),
        uid: named, by: code, at: account)
      uid = named
      opened = try await api.openRecovery(VaultAPI.encode(open))
    } catch let error as APIError {
      throw error.problem == .unauthorized ? .kitRefused : JournalError(error)
    } catch let error as JournalError {
      throw error
    } catch {
      throw .cancelled
    }
    let vault = try OpenedVault(opened, of: uid, by: code)
    if isOurs { try checkIsOurs(vault, [UInt8](opened.vault.head), state) }
    return vault
  }

  /// - Throws: `keysRefused` where the vault is not this journal's; `rolledBack`, `forked`.
  private func checkIsOurs(
    _ vault: OpenedVault, _ head: [UInt8], _ state: JournalState
  ) throws(JournalError) {
    let epoch = vault.keys.keyring.epoch
    guard epoch >= state.epoch, epoch > state.epoch || state.fits(vault.keys) else {
      throw .keysRefused
    }
    guard let pin = state.pin else { return }
    try vault.checkNotBefore(pin)
    let known = try journal.store.read { (store) throws(JournalError) in
      try store.head(generation: pin.generation, seq: pin.seq)
    }
    guard let known, known.hash == pin.hash else { return }
    // It is sealed under a key that this device had.
    guard (try? Head(opening: known.blob, with: vault.keys.keyring, uid: state.uid)) != nil else {
      throw .keysRefused
    }
    guard vault.point.generation == pin.generation else { return }
    let chain = Snapshot(
      generation: pin.generation, seq: vault.point.seq,
      heads: vault.point == pin ? [known.blob] : [known.blob, head])
    do {
      _ = try chain.newest(from: pin, keyring: vault.keys.keyring, uid: state.uid)
    } catch {
      // Where no link leads from the one to the other, the next sync sees the heads between.
      guard error == .incomplete else { throw JournalError(error) }
    }
  }
}
