// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// An entry as it was when somebody began to change it, for as long as that takes.
public struct OpenedEntry: Sendable {
  /// What it said.
  public let entry: Entry
  /// The revision that said so.
  let hash: Digest
  /// The content that a merge starts from.
  let content: [UInt8]
}

/// What became of a change whose entry may have changed meanwhile.
public enum EditOutcome: Equatable, Sendable {
  /// Nothing had changed: this is the newest state.
  case saved
  /// Both changes are in it.
  case merged
  /// It had been deleted; it lives again, with this change.
  case revived
  /// The two did not fit together: this change is an entry of its own, marked as a conflict copy.
  case copied
}

extension Journal {
  /// The entry, to be changed and given to ``save(_:over:)``.
  ///
  /// - Throws: As ``entry(_:)``.
  public func open(_ id: ObjectID) throws(JournalError) -> OpenedEntry {
    let keys = try keys.unlocked()
    let current = try store.read { (store) throws(JournalError) in try store.current(id) }
    guard let current else { throw .noEntry }
    let record = try current.sealed.open(with: keys)
    guard let entry = Entry(record), entry.deletedAt == nil else { throw .noEntry }
    return OpenedEntry(entry: entry, hash: current.sealed.hash, content: record.content)
  }

  /// Saves `entry`, which was changed from `opened`, over whatever a sync or another program saved
  /// meanwhile: the two are merged, or both kept.
  ///
  /// - Returns: The entry as saved, and what became of it.
  /// - Throws: As ``save(_:)``; then nothing was saved.
  public func save(
    _ entry: Entry, over opened: OpenedEntry
  ) throws(JournalError) -> (entry: Entry, outcome: EditOutcome) {
    let keys = try keys.unlocked()
    let mine = try entry.encode()
    return try store.write { (store) throws(JournalError) in
      let current = try store.current(entry.id)
      let theirs = try? current?.sealed.open(with: keys)
      let isUnchanged =
        current?.sealed.hash == opened.hash
        || theirs?.content == opened.content && theirs?.deletedAt == nil
      var id = entry.id
      var content = mine
      var outcome = EditOutcome.saved
      // What does not open cannot be merged with; the save stands above it.
      if !isUnchanged, let theirs {
        if theirs.deletedAt != nil {
          outcome = .revived
        } else if let merged = EntryMerge.merge(
          base: opened.content, mine: mine, theirs: theirs.content)
        {
          content = merged
          outcome = .merged
        } else {
          var copy = entry
          copy.conflictOf = id
          content = try copy.encode()
          id = self.environment.makeID()
          outcome = .copied
        }
      }
      let record = try self.put(
        id: id, kind: .entry, content: content, deletedAt: nil, store, keys)
      guard let saved = Entry(record) else { throw .damaged(ids: [id]) }
      return (saved, outcome)
    }
  }
}
