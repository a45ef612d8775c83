// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// Where a journal stands with its cloud copy, as far as this device has verified it.
public struct SyncStatus: Equatable, Sendable {
  /// The account; `nil` while encryption is off.
  public var account: ServerAccount?
  /// Whether the account exists and its vault is synced with.
  public var isOn: Bool
  /// Whether turning encryption on was interrupted and waits to be gone on with.
  public var isUnfinished: Bool
  /// Whether turning encryption on makes a new recovery kit, rather than going on after one was
  /// confirmed.
  public var makesKit: Bool
  /// Whether the owner deleted the cloud copy.
  public var isCloudDeleted: Bool
  /// When the last verified sync ended.
  public var syncedAt: Instant?
  /// Records with changes that no server acknowledged.
  public var pending: Int
  /// Blobs that are known of and still to come.
  public var missing: Int
  /// Whether the keys were asked to be changed, and it is not known here whether they were.
  public var isRotationInDoubt: Bool
  /// Records still to be sealed anew after the keys were changed, by whichever device comes first.
  public var toReseal: Int
  /// Somebody's wish to set another password without the present one.
  public var startOver: StartOverWish?
  /// Records whose newest state does not open.
  public var damaged: [ObjectID]
  /// The state of the vault that needs the user.
  public var fault: SyncFault?
  /// The fingerprint of the verified head, to be compared between devices.
  public var fingerprint: String?
}

extension Journal {
  /// Where this journal stands; needs no key and no network.
  ///
  /// - Throws: `noJournal`, and what SQLite says.
  public func syncStatus() throws(JournalError) -> SyncStatus {
    try store.read { (store) throws(JournalError) in
      guard let state = try store.state() else { throw .noJournal }
      var damaged: [ObjectID] = []
      for revision in try store.quarantined() where !damaged.contains(revision.sealed.id) {
        // What came whole since, or was written above it, is damaged no more.
        if try store.isNewest(revision) { damaged.append(revision.sealed.id) }
      }
      let isLocal = state.account == nil || state.step == .cloudDeleted
      return SyncStatus(
        account: state.account, isOn: !isLocal && !state.step.isBeforeAccount,
        isUnfinished: state.step.isBeforeAccount || state.step == .registered,
        makesKit: isLocal || state.step == .prepared,
        isCloudDeleted: state.step == .cloudDeleted, syncedAt: state.syncedAt,
        pending: isLocal ? 0 : try store.pendingRecordCount(),
        missing: try store.wanted().count,
        isRotationInDoubt: try store.sealedItem(SyncEngine.rotationItem) != nil,
        toReseal: isLocal || state.resealedEpoch == state.epoch
          ? 0 : try store.olderRowCount(than: state.epoch),
        startOver: isLocal ? nil : state.startOver, damaged: damaged, fault: state.syncFault,
        fingerprint: state.pin.map { KeyFlow.fingerprint(of: $0, uid: state.uid) })
    }
  }
}

extension StoreTransaction {
  /// Whether nothing that opens is shown in the place of `revision`, which does not.
  fileprivate func isNewest(_ revision: StoredRevision) throws(JournalError) -> Bool {
    guard let shown = try current(revision.sealed.id), shown.state != .quarantined else {
      return true
    }
    return shown.sealed.revision < revision.sealed.revision
  }
}
