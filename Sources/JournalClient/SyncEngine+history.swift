// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
import VaultProtocol

extension SyncEngine {
  /// The most revisions that one call asks for.
  private static let mostRevisions = 1_000

  /// Fetches the older revisions of a record that the server still keeps and this device lacks:
  /// other devices' saves, and the losers of merges.
  ///
  /// Only what `parents` lead to from a verified revision is taken: the server can withhold an older
  /// state, and can put none in.
  ///
  /// - Returns: How many came.
  /// - Throws: `offline` and its like; then none is kept.
  @discardableResult
  public func fetchHistory(of id: ObjectID) async throws(JournalError) -> Int {
    let session = try session()
    var found: [SealedRevision] = []
    var (known, open) = try parents(of: id, session.keys)
    do throws(APIError) {
      var numbers: [Digest: UInt64] = [:]
      for revision in try await session.api.revisions(of: id) {
        if let hash = Digest(revision.blobHash) { numbers[hash] = revision.revision }
      }
      var asked = 0
      while let hash = open.popLast(), asked < Self.mostRevisions {
        guard known.insert(hash).inserted, let number = numbers[hash] else { continue }
        asked += 1
        let wire = try await session.api.revision(number, of: id)
        let row = Row(id: id, revision: number, hash: hash)
        guard let sealed = try SealedRevision(wire, of: row),
          let record = try? sealed.open(with: session.keys)
        else { continue }
        open += record.parents
        found.append(sealed)
      }
    } catch {
      guard error.problem == .notFound else { throw try refused(error, session) }
    }
    return try keep(found, session.keys)
  }

  /// The hashes of a record's revisions here, and those of their parents.
  private func parents(
    of id: ObjectID, _ keys: UnlockedKeys
  ) throws(JournalError) -> (known: Set<Digest>, parents: [Digest]) {
    let revisions = try journal.store.read { (store) throws(JournalError) in
      try store.revisions(of: id).filter { $0.state != .quarantined }
    }
    return (
      Set(revisions.map(\.sealed.hash)),
      revisions.compactMap { try? $0.sealed.open(with: keys) }.flatMap(\.parents)
    )
  }

  /// Keeps older revisions, but for those that a sync brought meanwhile.
  private func keep(
    _ found: [SealedRevision], _ keys: UnlockedKeys
  ) throws(JournalError) -> Int {
    guard !found.isEmpty else { return 0 }
    return try journal.store.write { (store) throws(JournalError) in
      guard let state = try store.state(), state.uid == keys.uid else { throw .keysChanged }
      var came = 0
      for sealed in found {
        if let known = try store.revision(sealed.id, hash: sealed.hash) {
          guard known.state == .quarantined, !known.sealed.isWhole else { continue }
          try store.replace(known.rowID, with: sealed)
          try store.setState(.history, rowID: known.rowID)
        } else {
          _ = try store.insert(sealed, state: .history)
        }
        try store.renumberHistory(beside: sealed, keys, device: state.device)
        came += 1
      }
      return came
    }
  }
}
