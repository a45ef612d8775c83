// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// A revision that does not open: kept as it is, in nothing's way.
public struct QuarantinedRevision: Equatable, Sendable {
  /// The record that it was stored as.
  public let id: ObjectID
  /// The revision that it was stored as.
  public let revision: UInt64
  /// Bytes of the blob.
  public let size: Int
  /// Whether an older revision of the record is shown in its place.
  public let isReplaced: Bool
}

extension Journal {
  /// Puts revisions that do not open aside, and shows the newest one that does in their place.
  ///
  /// Does nothing about a revision whose key these keys do not hold: it may be sound.
  func quarantine(_ damaged: [StoredRevision]) throws(JournalError) {
    let keys = try keys.unlocked()
    let damaged = damaged.filter { keys.keyring.epochs.contains($0.sealed.epoch) }
    guard !damaged.isEmpty else { return }
    try store.write { (store) throws(JournalError) in
      _ = try store.writableState(keys)
      for revision in damaged {
        // Read again inside the transaction: what was damaged may be only a copy in memory.
        guard let stored = try store.revision(rowID: revision.rowID),
          stored.state != .quarantined, (try? stored.sealed.open(with: keys)) == nil
        else { continue }
        try store.putAside(stored, keys)
      }
    }
  }

  /// Opens every revision on this device and puts those that do not open in quarantine.
  ///
  /// - Parameter progress: Told how many of how many are done.
  /// - Returns: How many there are in quarantine now.
  /// - Throws: `locked`, `damagedStore`, and what SQLite says.
  public func check(
    progress: (Progress) -> Void = { _ in }
  ) throws(JournalError) -> (checked: Int, quarantined: Int) {
    let keys = try keys.unlocked()
    let total = try store.read { (store) throws(JournalError) in try store.revisionCount() }
    var last: Int64 = 0
    var checked = 0
    while true {
      let after = last
      let batch = try store.read { (store) throws(JournalError) in
        try store.revisions(after: after, limit: 500)
      }
      guard let end = batch.last else { break }
      last = end.rowID
      let damaged = batch.filter {
        $0.state != .quarantined && (try? $0.sealed.open(with: keys)) == nil
      }
      try quarantine(damaged)
      checked += batch.count
      progress(Progress(done: checked, total: total))
    }
    return (checked, try quarantined().count)
  }

  /// What lies in quarantine; needs no key.
  ///
  /// - Throws: What SQLite says.
  public func quarantined() throws(JournalError) -> [QuarantinedRevision] {
    try store.read { (store) throws(JournalError) in
      var list: [QuarantinedRevision] = []
      for stored in try store.quarantined() {
        let current = try store.current(stored.sealed.id)
        list.append(
          QuarantinedRevision(
            id: stored.sealed.id, revision: stored.sealed.revision, size: stored.sealed.blob.count,
            isReplaced: current.map { $0.rowID != stored.rowID } ?? false))
      }
      return list
    }
  }

  /// The sealed bytes of a revision, as they are: for whoever wants to look for themselves.
  ///
  /// - Throws: `noRevision`, and what SQLite says.
  public func rawBlob(_ id: ObjectID, revision: UInt64) throws(JournalError) -> [UInt8] {
    let stored = try store.read { (store) throws(JournalError) in
      try store.revision(id, revision)
    }
    guard let stored else { throw .noRevision }
    return stored.sealed.blob
  }

  /// Forgets a revision in quarantine for good.
  ///
  /// - Throws: `noRevision` where it is not in quarantine, and what SQLite says.
  public func discardQuarantined(_ id: ObjectID, revision: UInt64) throws(JournalError) {
    try store.write { (store) throws(JournalError) in
      guard let stored = try store.revision(id, revision), stored.state == .quarantined else {
        throw .noRevision
      }
      if try store.current(id)?.rowID == stored.rowID { try store.hide(id) }
      try store.delete(rowID: stored.rowID)
    }
  }
}

extension StoreTransaction {
  /// Puts a revision that does not open aside and shows, where it was shown, the one before it.
  ///
  /// Where the vault holds it and this device's copy of it rotted, it is wanted again.
  func putAside(_ stored: StoredRevision, _ keys: UnlockedKeys) throws(JournalError) {
    let id = stored.sealed.id
    try setState(.quarantined, rowID: stored.rowID)
    if let row = try vaultRow(id), row.revision == stored.sealed.revision,
      row.hash != stored.sealed.hash || !stored.sealed.isWhole
    {
      try want(row, place: 0)
    }
    guard try current(id)?.rowID == stored.rowID else { return }
    let sound = try lineage(of: id, keys).filter { $0.record != nil }
    let number = stored.sealed.revision
    // What was acknowledged or saved last, then the state below; what a merge put aside bears a
    // number above all others, or says so.
    let before =
      sound.first { $0.stored.state != .history }
      ?? sound.filter { $0.stored.sealed.revision < number && $0.record?.superseded == false }
      .max { $0.stored.sealed.revision < $1.stored.sealed.revision }
      ?? sound.first
    if let before { try show(id, rowID: before.stored.rowID) }
  }
}

/// How far long work has come.
public struct Progress: Equatable, Sendable {
  /// Items done.
  public var done: Int
  /// Items in all, where that is known.
  public var total: Int?

  /// So many done, of so many.
  public init(done: Int, total: Int? = nil) {
    self.done = done
    self.total = total
  }
}
