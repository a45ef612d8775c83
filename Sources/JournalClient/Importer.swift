// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
import Sodium

/// Brings items into a journal, many in one durable transaction, whatever format they came from.
///
/// The same item again changes nothing; of two states the newer one is shown and the other lies in
/// the entry's history.
struct Importer {
  /// Items in one transaction, and about the bytes.
  private static let batchItems = 2000
  private static let batchBytes = 8 << 20

  private let journal: Journal
  private let options: ImportOptions
  private let keys: UnlockedKeys
  private let progress: (Progress) -> Void
  /// Derives record ids from foreign ids under the vault key: devices that share it import an entry
  /// as one record, and the server cannot tell whether a known id is among them.
  private let idSecret: Plaintext
  /// Entries that were imported before, by their source key.
  private var known: [UInt64: ObjectID] = [:]
  private var waiting: [ImportItem] = []
  private var waitingBytes = 0
  private(set) var report = ImportReport()

  init(
    _ journal: Journal, _ options: ImportOptions, _ progress: @escaping (Progress) -> Void
  ) throws(JournalError) {
    self.journal = journal
    self.options = options
    self.progress = progress
    keys = try journal.keys.unlocked()
    idSecret = keys.keyring.currentKey().withBytes { key in
      let label = Array("journal-import".utf8)
      return Plaintext(HKDF.derive(salt: Span(), ikm: key, info: label.span, count: 32))
    }
    var known: [UInt64: ObjectID] = [:]
    try journal.catalog().forEachItem { item, _ in
      if item.sourceKey != 0 { known[item.sourceKey] = item.id }
    }
    self.known = known
  }

  /// Takes an item, soon.
  mutating func add(_ item: ImportItem) throws(JournalError) {
    var item = item
    item.makeSourceID()
    waiting.append(item)
    waitingBytes += item.content.utf8.count
    report.attachments += item.attachments
    if waiting.count >= Self.batchItems || waitingBytes >= Self.batchBytes { try flush() }
  }

  /// Notes an item that cannot be taken.
  mutating func fail(_ place: String, _ reason: String) {
    report.problems.append(ImportProblem(place: place, reason: reason))
  }

  /// Writes what is waiting in one transaction.
  mutating func flush() throws(JournalError) {
    guard !waiting.isEmpty else { return }
    let items = waiting
    let before = report
    var next = report
    let isDryRun = options.dryRun
    try journal.store.write(discarding: isDryRun) { (store) throws(JournalError) in
      next = before
      let state = try store.writableState(keys)
      for item in items {
        do throws(JournalError) {
          try take(item, store, state, &next)
        } catch .tooLarge {
          next.problems.append(
            ImportProblem(place: item.place, reason: "larger than an entry can be (1 MiB)"))
        }
      }
    }
    report = next
    waiting.removeAll(keepingCapacity: true)
    waitingBytes = 0
    progress(Progress(done: report.total))
  }

  private func recordID(of item: ImportItem, _ store: StoreTransaction) throws(JournalError)
    -> ObjectID
  {
    if let id = item.recordID { return id }
    if let id = known[Entry.sourceKey(of: item.sourceID)] { return id }
    // A plain array may be one of ours that another program wrote again.
    if let id = ObjectID(hex: item.sourceID), try store.current(id) != nil { return id }
    return idSecret.bytes.withBytes { secret in
      var hasher = SHA512()
      hasher.update(secret)
      hasher.update(Array(item.sourceID.utf8))
      return ObjectID(hasher.finish().prefix(ObjectID.count)) ?? .make()
    }
  }

  private func take(
    _ item: ImportItem, _ store: StoreTransaction, _ state: JournalState,
    _ report: inout ImportReport
  ) throws(JournalError) {
    let id = try recordID(of: item, store)
    let now = journal.environment.now()
    let createdAt = item.createdAt ?? item.updatedAt ?? now
    let updatedAt = item.updatedAt ?? createdAt
    let known = try store.highestRevision(of: id)
    guard let current = known == 0 ? nil : try store.current(id) else {
      var entry = Entry(id: id, content: "", createdAt: createdAt)
      entry.bring(in: item, createdAt: createdAt)
      try append(entry, updatedAt, over: nil, known: known, store, state)
      report.added += 1
      return
    }
    let record = try? current.sealed.open(with: keys)
    if let record, record.kind != .entry {
      report.problems.append(
        ImportProblem(place: item.place, reason: "its id belongs to something else here"))
      return
    }
    let mine = record.flatMap { $0.deletedAt == nil ? Entry($0) : nil }
    var theirs = mine ?? Entry(id: id, content: "", createdAt: createdAt)
    theirs.bring(in: item, createdAt: createdAt)
    guard let record, let mine else {
      // Deleted here, or damaged: what the file has takes its place.
      guard record == nil || options.revivesDeleted else {
        report.unchanged += 1
        return
      }
      try append(
        theirs, max(updatedAt, record?.updatedAt ?? updatedAt), over: current, store, state)
      report.revived += 1
      return
    }
    if theirs.message == mine.message {
      report.unchanged += 1
    } else if updatedAt > mine.updatedAt {
      try append(theirs, updatedAt, over: current, store, state)
      report.updated += 1
    } else if try isInHistory(theirs, store) {
      report.unchanged += 1
    } else {
      // The older state goes in right below the newer one, which is sealed again above it.
      let loser = Record(
        id: id, kind: .entry, content: try theirs.encode(), updatedAt: updatedAt,
        parents: [current.sealed.hash], device: state.device, superseded: true)
      let below = try store.append(loser, over: current, state, keys)
      let winner = record.with(parents: [below.hash], device: state.device)
      try store.append(winner, over: try store.current(id), state, keys)
      report.older += 1
    }
  }

  private func append(
    _ entry: Entry, _ updatedAt: Instant, over current: StoredRevision?, known: UInt64? = nil,
    _ store: StoreTransaction, _ state: JournalState
  ) throws(JournalError) {
    let record = Record(
      id: entry.id, kind: .entry, content: try entry.encode(), updatedAt: updatedAt,
      parents: current.map { [$0.sealed.hash] } ?? [], device: state.device)
    try store.append(record, over: current, known: known, state, keys)
  }

  /// Whether an older revision here says the same as `entry`.
  private func isInHistory(
    _ entry: Entry, _ store: StoreTransaction
  ) throws(JournalError) -> Bool {
    let content = try entry.encode()
    return try store.revisions(of: entry.id).contains { stored in
      (try? stored.sealed.open(with: keys))?.content == content
    }
  }
}

extension Entry {
  /// Takes over what an item says; what it does not speak of stays.
  fileprivate mutating func bring(in item: ImportItem, createdAt: Instant) {
    if let whole = item.entry {
      message = whole.message
      return
    }
    title = item.title
    content = item.content
    if item.createdAt != nil { self.createdAt = createdAt }
    if let tags = item.tags { self.tags = tags }
    if let timeZone = item.timeZone, !timeZone.isEmpty { self.timeZone = timeZone }
    if !item.source.isEmpty { source = item.source }
    if !item.sourceID.isEmpty { sourceID = item.sourceID }
    if let original = item.conflictOf { conflictOf = original }
  }
}

extension ObjectID {
  /// The id of 32 hexadecimal digits, of either case; `nil` for anything else.
  public init?(hex text: String) {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 2 * Self.count else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    self.init(bytes)
  }
}
