// SPDX-License-Identifier: Apache-2.0
import KeyFlow

/// A revision, and what it opens to.
struct OpenedRevision: Sendable {
  let stored: StoredRevision
  /// `nil` where it does not open, or lies in quarantine.
  let record: Record?
}

extension StoreTransaction {
  /// The revisions of a record on this device in the order in which they were made from each other,
  /// newest first.
  ///
  /// Numbers alone do not tell: a state that a merge put aside gets one above all others.
  func lineage(of id: ObjectID, _ keys: UnlockedKeys) throws(JournalError) -> [OpenedRevision] {
    let opened = try revisions(of: id).map { stored in
      OpenedRevision(
        stored: stored,
        record: stored.state == .quarantined ? nil : try? stored.sealed.open(with: keys))
    }
    return Self.newestFirst(opened)
  }

  /// Children before their parents; of those that nothing orders, the one written later first, and
  /// what does not open by its number.
  static func newestFirst(_ revisions: [OpenedRevision]) -> [OpenedRevision] {
    var children: [Digest: Int] = [:]
    for revision in revisions {
      for parent in revision.record?.parents ?? [] { children[parent, default: 0] += 1 }
    }
    var left = revisions.sorted { isLater($0, $1) }
    var ordered: [OpenedRevision] = []
    while !left.isEmpty {
      // Hashes name each other in one direction only; a circle could not be made.
      let next = left.firstIndex { children[$0.stored.sealed.hash, default: 0] == 0 } ?? 0
      let revision = left.remove(at: next)
      for parent in revision.record?.parents ?? [] { children[parent, default: 0] -= 1 }
      ordered.append(revision)
    }
    return ordered
  }

  private static func isLater(_ one: OpenedRevision, _ other: OpenedRevision) -> Bool {
    guard let mine = one.record?.updatedAt, let theirs = other.record?.updatedAt, mine != theirs
    else {
      return (one.stored.sealed.revision, one.stored.rowID)
        > (other.stored.sealed.revision, other.stored.rowID)
    }
    return mine.milliseconds > theirs.milliseconds
  }
}
