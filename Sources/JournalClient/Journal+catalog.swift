// SPDX-License-Identifier: Apache-2.0
import Dispatch
import KeyFlow
import Sodium
import Synchronization

extension Journal {
  /// Changes that are brought in at each look, in memory only, before it pays to store them.
  private static let unsavedChanges = 64
  /// Changes read at a time.
  private static let batch = 2000

  /// The catalog with every change in it; where many are new, it is stored for the next look.
  ///
  /// Storing is a convenience: a full disk or a busy journal is no error here.
  func catalog() throws(JournalError) -> Catalog {
    let keys = try keys.unlocked()
    var catalog = keys.catalog.withLock { $0 }
    while true {
      let known = catalog
      let (base, changed) = try store.read { (store) throws(JournalError) in
        _ = try store.writableState(keys)
        let base = try Catalog.current(known, store, keys)
        return (base, try store.changed(after: base.covered, limit: Self.batch))
      }
      let (changes, damaged) = Self.opened(changed, keys)
      if !damaged.isEmpty { try? quarantine(damaged) }
      var next = base
      next.add(changes)
      if next.unsaved > Self.unsavedChanges {
        // Saved, or still in memory as it is: both are right.
        var saved = next
        let done = try? store.write { (store) throws(JournalError) in
          try saved.save(store, keys)
        }
        if done == true { next = saved }
      }
      catalog = next
      if changes.count < Self.batch { break }
    }
    let result = catalog ?? Catalog()
    keys.catalog.withLock { $0 = result }
    keys.dropTexts(except: result)
    return result
  }

  /// What changed, opened, on both cores where it is much; what does not open is nothing to list.
  static func opened(
    _ changes: [(stamp: Int64, revision: StoredRevision)], _ keys: UnlockedKeys
  ) -> (changes: [CatalogChange], damaged: [StoredRevision]) {
    let parts = changes.count > 100 ? 8 : 1
    let size = (changes.count + parts - 1) / parts
    let opened = Mutex<[Int: [(CatalogChange, StoredRevision?)]]>([:])
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let start = min(part * size, changes.count)
      let slice = changes[start..<min(start + size, changes.count)].map { stamp, revision in
        let record = try? revision.sealed.open(with: keys)
        let isDamaged = record == nil && revision.state != .quarantined
        let change = CatalogChange(id: revision.sealed.id, stamp: stamp, record)
        return (change, isDamaged ? revision : nil)
      }
      opened.withLock { $0[part] = slice }
    }
    let all = opened.withLock { parts in parts.keys.sorted().flatMap { parts[$0] ?? [] } }
    return (all.map(\.0), all.compactMap(\.1))
  }
}

extension Catalog {
  /// `known`, where the stored one is still the one that it came from; else the stored one; else
  /// an empty one, into which every change has to come.
  static func current(
    _ known: Catalog?, _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> Catalog {
    let source = try storedSource(store)
    if let known, known.source == source { return known }
    if source != nil, let loaded = try load(store, keys) { return loaded }
    var empty = Catalog()
    empty.replaces(source)
    return empty
  }
}

extension CatalogChange {
  /// A change of a record to `record`; `nil` where it does not open.
  init(id: ObjectID, stamp: Int64, _ record: Record?) {
    self.id = id
    self.stamp = stamp
    let living = record.flatMap { $0.deletedAt == nil ? $0 : nil }
    entry = living.flatMap { Entry($0) }
    text = entry.map { SearchText.folded($0) } ?? []
    otherKind = living.flatMap { $0.kind == .entry ? nil : $0.kind }
  }
}
