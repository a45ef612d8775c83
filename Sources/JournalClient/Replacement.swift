// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

/// What a recovery puts in the place of key, password and kit.
struct Replacement: Sendable {
  let uid: ObjectID
  /// The next epoch's key.
  let key: HeldKey
  let profile: Profile
  /// The head that the slots name.
  let base: HeadPoint
  /// The request, without its proof.
  var body: WireCredentialsPut

  /// The vault's keys and the new one.
  ///
  /// - Throws: `keysChanged` where the vault has a newer one.
  func keys(with vault: OpenedVault) throws(JournalError) -> UnlockedKeys {
    guard let ring = try? vault.keys.keyring.adding(key.key) else { throw .keysChanged }
    return UnlockedKeys(keyring: ring, uid: uid)
  }

  /// Puts the request on the head that the vault shows: the new epoch's first head over the same
  /// rows, and the keyring, each sealed under the new key.
  mutating func stand(on vault: OpenedVault, by journal: Journal) throws(JournalError) {
    let keys = try keys(with: vault)
    // Nobody without a session sees the rows: what the last head says of them stays said.
    let head = vault.head.next(
      after: vault.point.hash, root: vault.head.root, records: vault.head.records,
      epoch: keys.keyring.epoch, device: try journal.state().device,
      time: UInt64(clamping: journal.environment.now().milliseconds))
    body.generation = vault.point.generation
    body.epoch = keys.keyring.epoch
    body.slots.keyring = Data(keys.keyring.sealOlder(seq: base.seq, uid: uid))
    body.commit = WireCommit()
    body.commit.commitID = Data(randomBytes(16))
    body.commit.baseSeq = vault.point.seq
    body.commit.generation = body.generation
    body.commit.epoch = body.epoch
    body.commit.head = Data(head.seal(under: keys.keyring, uid: uid))
  }
}
