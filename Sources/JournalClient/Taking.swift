// SPDX-License-Identifier: Apache-2.0
import KeyFlow

/// Takes verified revisions into the store, within one transaction, merging where this device has
/// changes of its own (SYNC.md §5).
struct Taking {
  let store: StoreTransaction
  let keys: UnlockedKeys
  let settings: MergeSettings
  let now: Instant
  let makeID: @Sendable () -> ObjectID
  let device: ObjectID
  var report = SyncReport()
  /// Records that were shown and are deleted now.
  var vanished = 0

  init(
    _ store: StoreTransaction, _ keys: UnlockedKeys, _ journal: Journal, _ settings: MergeSettings
  ) throws(JournalError) {
    guard let state = try store.state() else { throw .noJournal }
    guard state.fits(keys) else { throw .keysChanged }
    self.store = store
    self.keys = keys
    self.settings = settings
    now = journal.environment.now()
    makeID = journal.environment.makeID
    device = state.device
  }

  /// Takes one revision in.
  mutating func take(_ arrival: Arrival) throws(JournalError) {
    let sealed = arrival.sealed
    guard let theirs = arrival.record else {
      return try quarantine(
        Row(id: sealed.id, revision: sealed.revision, hash: sealed.hash), sealed.blob)
    }
    guard try store.knows(sealed.id) else {
      // The bulk of a first sync: nothing here to compare with.
      try store.show(sealed.id, rowID: try store.insert(sealed, state: .base))
      report.received += 1
      return
    }
    let known = try store.revision(sealed.id, hash: sealed.hash)
    if let known {
      if !known.sealed.isWhole { try store.replace(known.rowID, with: sealed) }
      guard known.state == .quarantined else { return try acknowledge(known) }
      // What rotted on this device came whole again: as if it were new.
      try store.setState(.history, rowID: known.rowID)
    }
    var pending = try soundPending(of: sealed.id)
    if let reached = pending.lastIndex(where: { arrival.ancestors.contains($0.sealed.hash) }) {
      // Ours came to be known without an answer; what follows it here is changed since then.
      try store.acknowledge(pending[reached])
      pending.removeSubrange(...reached)
    }
    let base = try store.base(of: sealed.id)
    let mine = try pending.last.map { (last) throws(JournalError) in
      try last.sealed.open(with: keys)
    }
    let rowID = if let known { known.rowID } else { try store.insert(sealed, state: .history) }
    let arrived = StoredRevision(rowID: rowID, state: .history, sealed: sealed)
    try store.acknowledge(arrived)
    guard let mine else {
      if let base, base.sealed.revision > sealed.revision {
        // A copy begun anew from a backup: what is newer here goes up again.
        try store.setState(.pending, rowID: base.rowID)
        return
      }
      try store.show(sealed.id, rowID: arrived.rowID)
      if arrived.isResealing(base, theirs, keys) {
        report.resealed += 1
      } else if theirs.deletedAt == nil {
        report.received += 1
      } else {
        report.deleted += 1
      }
      try store.renumberHistory(beside: sealed, keys, device: device)
      return
    }
    for revision in pending { try store.setState(.history, rowID: revision.rowID) }
    report.received += 1
    let decision = Merge(
      base: base.flatMap { try? $0.sealed.open(with: keys) }, mine: mine, theirs: theirs,
      settings: settings, now: now)
    try carryOut(decision, mine: mine, theirs: theirs, arrived: arrived)
    if arrived.isResealing(base, theirs, keys) {
      // Nothing of theirs was lost, so there is nothing to say.
      report.received -= 1
      report.resealed += 1
      if report.merges.last == MergeNote(id: theirs.id, outcome: .mine) {
        report.merges.removeLast()
      }
    }
    try store.renumberHistory(beside: sealed, keys, device: device)
  }

  /// The pending revisions of a record, the last of which opens; later ones that rotted are put
  /// aside.
  private func soundPending(of id: ObjectID) throws(JournalError) -> [StoredRevision] {
    var pending = try store.pending(of: id)
    while let last = pending.last, (try? last.sealed.open(with: keys)) == nil {
      try store.setState(.quarantined, rowID: last.rowID)
      pending.removeLast()
    }
    return pending
  }

  /// Reports a decision and writes it down, with what it decides.
  private mutating func note(
    _ id: ObjectID, _ outcome: MergeNote.Outcome
  ) throws(JournalError) {
    let note = MergeNote(id: id, outcome: outcome)
    report.merges.append(note)
    try store.log(ActivityEvent(note, time: now), keys)
  }

  private mutating func carryOut(
    _ decision: Merge, mine: Record, theirs: Record, arrived: StoredRevision
  ) throws(JournalError) {
    let id = theirs.id
    let parent = arrived.sealed.hash
    switch decision {
    case .theirs:
      try store.show(id, rowID: arrived.rowID)
    case .mine:
      let mine = mine.with(parents: [parent], device: device)
      try store.show(id, rowID: try write(mine).rowID)
      try note(id, .mine)
    case .theirsOverMine:
      let loser = try write(mine.with(parents: [parent], device: device, superseded: true))
      let winner = theirs.with(parents: [loser.hash], device: theirs.device ?? device)
      try store.show(id, rowID: try write(winner).rowID)
      try note(id, .theirs)
    case .merged(let content):
      let side = try write(mine.with(parents: [parent], device: device, superseded: true))
      var merged = Record(
        id: id, kind: theirs.kind, content: content,
        updatedAt: max(mine.updatedAt, theirs.updatedAt),
        parents: [side.hash], device: device)
      merged.payload.unknownFields = theirs.payload.unknownFields
      try store.show(id, rowID: try write(merged).rowID)
      try note(id, .merged)
    case .both:
      try store.show(id, rowID: arrived.rowID)
      let copy = try self.copy(of: mine)
      try store.show(copy.id, rowID: try write(copy).rowID)
      try note(id, .both(copy: copy.id))
    }
  }

  /// `mine` as an entry of its own, marked as a conflict copy.
  private func copy(of mine: Record) throws(JournalError) -> Record {
    guard var entry = Entry(mine) else { throw .damaged(ids: [mine.id]) }
    entry.conflictOf = mine.id
    var copy = Record(
      id: makeID(), kind: .entry, content: try entry.encode(), updatedAt: mine.updatedAt,
      parents: [], device: device)
    copy.payload.unknownFields = mine.payload.unknownFields
    return copy
  }

  /// Seals `record` as the next revision, pending.
  private func write(_ record: Record) throws(JournalError) -> (rowID: Int64, hash: Digest) {
    let stated = try store.vaultRow(record.id)?.revision ?? 0
    let revision = max(try store.highestRevision(of: record.id), stated) + 1
    let sealed = try SealedRevision(sealing: record, revision: revision, under: keys)
    return (try store.insert(sealed, state: .pending), sealed.hash)
  }

  /// The server states a revision that this device has: it is acknowledged, and so is all that it
  /// was made from.
  mutating func acknowledge(_ known: StoredRevision) throws(JournalError) {
    guard known.state == .pending || known.state == .history else { return }
    try store.acknowledge(known)
    // Older than what is shown here (a server brought back from a backup): ours goes up again.
    guard known.state == .history, let current = try store.current(known.sealed.id),
      current.rowID != known.rowID, current.state == .history
    else { return }
    try store.setState(.pending, rowID: current.rowID)
  }

  /// After the whole vault was read: what it does not have is pushed, never deleted.
  mutating func offerWhatIsAbsent() throws(JournalError) {
    for id in try store.recordIDs() where try store.vaultRow(id) == nil {
      guard let current = try store.current(id), current.state == .base || current.state == .history
      else { continue }
      try store.setState(.pending, rowID: current.rowID)
    }
  }

  /// Keeps bytes that do not open, or are not what their row says, out of everything's way; a
  /// change of this device's own to that record is sealed again above them, which heals it.
  mutating func quarantine(_ row: Row, _ blob: [UInt8]) throws(JournalError) {
    report.damaged.append(row.id)
    let hash = Digest(ofBlob: blob.span)
    if Blob.sizes.contains(blob.count), try store.revision(row.id, hash: hash) == nil {
      let epoch = (try? BlobHeader(blob.span))?.epoch ?? 0
      _ = try store.insert(
        SealedRevision(id: row.id, revision: row.revision, epoch: epoch, hash: hash, blob: blob),
        state: .quarantined)
    }
    let pending = try store.pending(of: row.id)
    guard let last = pending.last, let mine = try? last.sealed.open(with: keys) else { return }
    for revision in pending { try store.setState(.history, rowID: revision.rowID) }
    let healed = try write(mine.with(parents: [row.hash], device: device))
    try store.show(row.id, rowID: healed.rowID)
    try store.unwant(row.id)
  }
}

extension StoredRevision {
  /// Whether this one, which opens to `record`, is `base` under a newer key and nothing else.
  fileprivate func isResealing(
    _ base: StoredRevision?, _ record: Record, _ keys: UnlockedKeys
  ) -> Bool {
    guard let base, base.sealed.epoch < sealed.epoch,
      let before = try? base.sealed.open(with: keys)
    else { return false }
    return before.contentHash == record.contentHash && before.deletedAt == record.deletedAt
  }
}
