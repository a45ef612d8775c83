// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow

extension StoreTransaction {
  /// The journal's state; `nil` where creating it did not come that far.
  func state() throws(JournalError) -> JournalState? {
    try one(
      """
      SELECT uid, device, epoch, generation, pin_seq, pin_hash, cursor, server_url, server_name,
        account_name, receipt_key, account_step, synced_at, pulled_at, sync_fault, opaque_key,
        key_id, resealed_epoch, start_over_due, start_over_own
      FROM journal
      """
    ) { row in
      guard let uid = row.id(0), let device = row.id(1), let epoch = row.epoch(2),
        let generation = row.epoch(3), let seq = row.unsigned(4), let hash = row.digest(5),
        let cursor = row.bytes(6), let keyID = row.bytes(16).flatMap({ KeyID($0) }),
        let resealed = row.epoch(17)
      else { return nil }
      var account: ServerAccount?
      if let url = row[7] as String?, let server = row[8] as String?, let name = row[9] as String?,
        let receiptKey = row.bytes(10), let opaqueKey = row.bytes(15)
      {
        account = ServerAccount(
          url: url, serverName: server, name: name, receiptKey: receiptKey, opaqueKey: opaqueKey)
      }
      return JournalState(
        uid: uid, device: device, epoch: epoch, keyID: keyID,
        pin: seq > 0 ? HeadPoint(generation: generation, seq: seq, hash: hash) : nil,
        cursor: cursor, account: account, accountStep: (row[11] as String?) ?? "",
        syncedAt: row.instant(12), pulledAt: row.instant(13),
        syncFault: (row[14] as String?).flatMap { SyncFault(rawValue: $0) },
        resealedEpoch: resealed,
        startOver: row.instant(18).map { StartOverWish(dueAt: $0, isOwn: row.number(19) == 1) })
    }
  }

  /// Replaces the journal's state.
  func setState(_ state: JournalState) throws(JournalError) {
    try run(
      """
      INSERT OR REPLACE INTO journal (id, uid, device, epoch, generation, pin_seq, pin_hash, cursor,
        server_url, server_name, account_name, receipt_key, account_step, synced_at, pulled_at,
        sync_fault, opaque_key, key_id, resealed_epoch, start_over_due,
        start_over_own)
      VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        state.uid.data, state.device.data, Int64(state.epoch),
        Int64(state.pin?.generation ?? 0), Int64(clamping: state.pin?.seq ?? 0),
        (state.pin?.hash ?? .zero).data, Data(state.cursor), state.account?.url,
        state.account?.serverName, state.account?.name, state.account.map { Data($0.receiptKey) },
        state.accountStep, state.syncedAt?.milliseconds, state.pulledAt?.milliseconds,
        state.syncFault?.rawValue, state.account.map { Data($0.opaqueKey) },
        Data(state.keyID.bytes), Int64(state.resealedEpoch),
        state.startOver?.dueAt.milliseconds, state.startOver.map { $0.isOwn ? 1 : 0 },
      ])
  }

  /// The state that must be there, changed by `change`.
  ///
  /// - Throws: `noJournal` where there is none.
  func updateState(_ change: (inout JournalState) -> Void) throws(JournalError) {
    guard var state = try state() else { throw .noJournal }
    change(&state)
    try setState(state)
  }

  /// The older epochs' keys, sealed under the key of `epoch`.
  func keyring(epoch: UInt32) throws(JournalError) -> [UInt8]? {
    try one("SELECT blob FROM keyrings WHERE epoch = ?", [Int64(epoch)]) { $0.bytes(0) }
  }

  /// Keeps the older epochs' keys, sealed under the key of `epoch`.
  func setKeyring(_ blob: [UInt8], epoch: UInt32) throws(JournalError) {
    try run(
      "INSERT OR REPLACE INTO keyrings (epoch, blob) VALUES (?, ?)", [Int64(epoch), Data(blob)])
  }

  /// Makes `keys`, which hold the older ones too, those of the journal, and seals anew what this
  /// device keeps for itself; `keyring` holds the older keys under the new one.
  func takeKeys(_ keys: UnlockedKeys, keyring: [UInt8]) throws(JournalError) {
    guard let state = try state() else { throw .noJournal }
    try setKeyring(keyring, epoch: keys.keyring.epoch)
    guard !state.fits(keys) else { return }
    try dropKeyrings(except: keys.keyring.epoch)
    try dropItem(SyncEngine.rotationItem)
    try sealItemsAnew(from: keys, to: keys)
    try updateState { $0.take(keys) }
  }

  /// Forgets the keyrings sealed under keys other than that of `epoch`.
  func dropKeyrings(except epoch: UInt32) throws(JournalError) {
    try run("DELETE FROM keyrings WHERE epoch <> ?", [Int64(epoch)])
  }
}
