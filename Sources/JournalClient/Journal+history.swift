// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// One revision of an entry on this device.
public struct EntryRevision: Equatable, Sendable {
  /// Its number; what ``Journal/restore(_:revision:)`` takes.
  public let revision: UInt64
  /// When it was saved, by its writer's clock; `nil` where it does not open.
  public let updatedAt: Instant?
  /// The device that wrote it.
  public let device: ObjectID?
  /// Whether it is the one that is shown.
  public let isCurrent: Bool
  /// Whether a server still has to hear of it.
  public let isPending: Bool
  /// Whether a merge put it aside.
  public let isSuperseded: Bool
  /// Whether it says "deleted".
  public let isDeletion: Bool
  /// Whether it does not open.
  public let isDamaged: Bool
}

extension Journal {
  /// The revisions of an entry that this device keeps, each before those that it was made from, and
  /// of others the newest first; those of deleted entries too.
  ///
  /// - Throws: `noEntry`, `locked`, and what SQLite says.
  public func history(_ id: ObjectID) throws(JournalError) -> [EntryRevision] {
    let keys = try keys.unlocked()
    return try store.read { (store) throws(JournalError) in
      let current = try store.current(id)
      let account = try store.state()?.account
      let list = try store.lineage(of: id, keys).map { revision in
        let (stored, record) = (revision.stored, revision.record)
        return EntryRevision(
          revision: stored.sealed.revision, updatedAt: record?.updatedAt, device: record?.device,
          isCurrent: stored.rowID == current?.rowID,
          isPending: account != nil && stored.state == .pending,
          isSuperseded: record?.superseded ?? false, isDeletion: record?.deletedAt != nil,
          isDamaged: record == nil)
      }
      guard !list.isEmpty else { throw .noEntry }
      return list
    }
  }

  /// An entry as one of its revisions says it.
  ///
  /// - Throws: `noRevision`, `damaged`, `locked`, and what SQLite says.
  public func entry(_ id: ObjectID, revision: UInt64) throws(JournalError) -> Entry {
    let keys = try keys.unlocked()
    let stored = try store.read { (store) throws(JournalError) in
      try store.revision(id, revision)
    }
    guard let stored, let entry = Entry(try stored.sealed.open(with: keys)) else {
      throw .noRevision
    }
    return entry
  }

  /// Makes what a revision says the newest state; a deleted entry lives again.
  ///
  /// - Throws: `noRevision`, `damaged`, and as ``save(_:)``.
  @discardableResult
  public func restore(_ id: ObjectID, revision: UInt64) throws(JournalError) -> Entry {
    let old = try entry(id, revision: revision)
    guard old.deletedAt == nil else { throw .noRevision }
    return try save(old)
  }
}
