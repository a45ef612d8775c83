// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

extension Journal {
  /// Saves a new entry, or a new state of one; durable when this returns.
  ///
  /// The same content again is not written again.
  ///
  /// - Returns: The entry as saved.
  /// - Throws: `locked`, `tooLarge`, `diskFull`, `busy`; then nothing was saved.
  @discardableResult
  public func save(_ entry: Entry) throws(JournalError) -> Entry {
    let keys = try keys.unlocked()
    return try store.write { (store) throws(JournalError) in
      let record = try self.put(
        id: entry.id, kind: .entry, content: try entry.encode(), deletedAt: nil, store, keys)
      var saved = entry
      saved.updatedAt = record.updatedAt
      saved.deletedAt = nil
      return saved
    }
  }

  /// Makes and saves a new entry with a new id, in the time zone of this device.
  ///
  /// - Throws: As ``save(_:)``.
  @discardableResult
  public func write(
    title: String = "", content: String, createdAt: Instant? = nil, tags: [String] = []
  ) throws(JournalError) -> Entry {
    try save(
      Entry(
        id: environment.makeID(), title: title, content: content,
        createdAt: createdAt ?? environment.now(), tags: tags, timeZone: environment.timeZone()))
  }

  /// Changes an entry, in one transaction with reading it.
  ///
  /// - Throws: `noEntry`, and as ``save(_:)``.
  @discardableResult
  public func edit(
    _ id: ObjectID, _ change: (inout Entry) throws(JournalError) -> Void
  ) throws(JournalError) -> Entry {
    let keys = try keys.unlocked()
    return try store.write { (store) throws(JournalError) in
      guard let current = try store.current(id),
        var entry = Entry(try current.sealed.open(with: keys)), entry.deletedAt == nil
      else { throw .noEntry }
      try change(&entry)
      let record = try self.put(
        id: id, kind: .entry, content: try entry.encode(), deletedAt: nil, store, keys)
      entry.updatedAt = record.updatedAt
      return entry
    }
  }

  /// Deletes an entry: a tombstone takes its place, and the history keeps what it said.
  ///
  /// - Throws: `noEntry`, and as ``save(_:)``.
  public func delete(_ id: ObjectID) throws(JournalError) {
    let keys = try keys.unlocked()
    try store.write { (store) throws(JournalError) in
      guard let current = try store.current(id) else { throw .noEntry }
      let record = try? current.sealed.open(with: keys)
      if let record, record.kind != .entry || record.deletedAt != nil { throw .noEntry }
      _ = try self.put(
        id: id, kind: .entry, content: [], deletedAt: self.environment.now(), store, keys)
    }
  }

  /// An entry.
  ///
  /// - Throws: `noEntry`, `locked`, `damaged` where its newest revision does not open.
  public func entry(_ id: ObjectID) throws(JournalError) -> Entry {
    let keys = try keys.unlocked()
    let current = try store.read { (store) throws(JournalError) in try store.current(id) }
    guard let current else { throw .noEntry }
    let record: Record
    do {
      record = try current.sealed.open(with: keys)
    } catch {
      // The next sync asks for it again, where the vault has it.
      try? quarantine([current])
      throw error
    }
    guard let entry = Entry(record), entry.deletedAt == nil else { throw .noEntry }
    return entry
  }

  /// Seals the next revision of a record and shows it; the one way in which this device writes.
  ///
  /// `updatedAt` is when the state was saved: now, unless an import says so.
  ///
  /// - Throws: `keysChanged` where another process began a new epoch meanwhile.
  func put(
    id: ObjectID, kind: RecordKind, content: [UInt8], deletedAt: Instant?,
    updatedAt: Instant? = nil, _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> Record {
    let state = try store.writableState(keys)
    let known = try store.highestRevision(of: id)
    let current = known == 0 ? nil : try store.current(id)
    let opened = try? current?.sealed.open(with: keys)
    var record = Record(
      id: id, kind: kind, content: content, updatedAt: updatedAt ?? environment.now(),
      deletedAt: deletedAt, parents: current.map { [$0.sealed.hash] } ?? [], device: state.device)
    if let opened {
      if opened.says(record) { return opened }
      // A clock that went back must not make the newer state look older.
      if updatedAt == nil, opened.updatedAt >= record.updatedAt {
        record.payload.updatedAt = opened.payload.updatedAt &+ 1
      }
      record.payload.unknownFields = opened.payload.unknownFields
    }
    try store.append(record, over: current, known: known, state, keys)
    return record
  }
}

extension Record {
  /// Whether both say the same, whoever wrote it and when.
  func says(_ other: Record) -> Bool {
    contentHash == other.contentHash && kind == other.kind
      && (deletedAt == nil) == (other.deletedAt == nil)
  }
}

extension StoreTransaction {
  /// The journal's state, for whoever seals with `keys`.
  ///
  /// - Throws: `keysChanged` where they are no longer the current ones.
  func writableState(_ keys: UnlockedKeys) throws(JournalError) -> JournalState {
    guard let state = try state() else { throw .noJournal }
    guard state.fits(keys) else { throw .keysChanged }
    return state
  }

  /// Seals `record` as its next revision, pending, and shows it in the place of `current`.
  ///
  /// `known` is the record's highest revision here, where the caller knows it.
  @discardableResult
  func append(
    _ record: Record, over current: StoredRevision?, known: UInt64? = nil, _ state: JournalState,
    _ keys: UnlockedKeys
  ) throws(JournalError) -> SealedRevision {
    // Above all that this device or its server knows of.
    let stated = try state.account == nil ? 0 : vaultRow(record.id)?.revision ?? 0
    let highest = if let known { known } else { try highestRevision(of: record.id) }
    let revision = max(highest, stated) + 1
    let sealed = try SealedRevision(sealing: record, revision: revision, under: keys)
    // With no server to tell, only the newest state waits for one; the others are history.
    if let current, current.state == .pending, state.account == nil {
      try setState(.history, rowID: current.rowID)
    }
    try show(record.id, rowID: try insert(sealed, state: .pending))
    return sealed
  }
}
