// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

/// A revision that came from the server, of a verified row, and what it opened to.
struct Arrival: Sendable {
  let sealed: SealedRevision
  /// `nil` where it does not open.
  let record: Record?
  /// Hashes of blobs that it was made from, as far as that was looked up.
  var ancestors: Set<Digest>
}

extension SyncEngine {
  /// How many older states of one record are asked for, in search of what it was made from.
  private static let mostAncestors = 64

  /// Opens `revisions` on both cores, and looks up whether any stands on a pending blob of ours.
  func arrivals(
    _ revisions: [SealedRevision], _ session: Session
  ) async throws(JournalError) -> [ObjectID: Arrival] {
    let keys = session.keys
    let halves = revisions.count > 64 ? 2 : 1
    let size = (revisions.count + halves - 1) / halves
    let opened = await withTaskGroup(of: [Arrival].self) { group in
      for start in stride(from: 0, to: revisions.count, by: max(1, size)) {
        let part = revisions[start..<min(start + size, revisions.count)]
        group.addTask {
          part.map { sealed in
            let record = try? sealed.open(with: keys)
            return Arrival(sealed: sealed, record: record, ancestors: Set(record?.parents ?? []))
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    var arrivals = Dictionary(
      opened.map { ($0.sealed.id, $0) }, uniquingKeysWith: { _, last in last })
    guard try journal.hasPending() else { return arrivals }
    for arrival in opened {
      guard let found = try await ancestors(of: arrival, session) else { continue }
      arrivals[arrival.sealed.id]?.ancestors = found
    }
    return arrivals
  }

  /// The hashes that `arrival` was made from, looked up on the server as far as needed to tell
  /// whether one of them is a pending blob of this device; `nil` where its own parents tell.
  private func ancestors(
    of arrival: Arrival, _ session: Session
  ) async throws(JournalError) -> Set<Digest>? {
    let id = arrival.sealed.id
    let (pending, base) = try journal.store.read { (store) throws(JournalError) in
      (try store.pending(of: id).map(\.sealed.hash), try store.base(of: id)?.sealed.hash)
    }
    guard !pending.isEmpty, let record = arrival.record,
      arrival.ancestors.isDisjoint(with: pending), !record.parents.isEmpty,
      base.map({ !arrival.ancestors.contains($0) }) ?? true
    else { return nil }
    do {
      let kept = try await session.api.revisions(of: id)
      var numbers: [Digest: UInt64] = [:]
      for revision in kept {
        if let hash = Digest(revision.blobHash) { numbers[hash] = revision.revision }
      }
      guard pending.contains(where: { numbers[$0] != nil }) else { return nil }
      var found = arrival.ancestors
      var open = Array(found)
      var asked = 0
      while let hash = open.popLast(), found.isDisjoint(with: pending) {
        guard let number = numbers[hash] else { continue }
        asked += 1
        guard asked <= Self.mostAncestors else { break }
        let wire = try await session.api.revision(number, of: id)
        let row = Row(id: id, revision: number, hash: hash)
        guard let older = try SealedRevision(wire, of: row)?.opened(with: session.keys) else {
          continue
        }
        open += older.parents.filter { found.insert($0).inserted }
      }
      return found
    } catch {
      if error.problem == .notFound { return nil }
      throw try refused(error, session)
    }
  }
}

extension SealedRevision {
  /// What it opens to; `nil` where it does not.
  fileprivate func opened(with keys: UnlockedKeys) -> Record? { try? open(with: keys) }
}
