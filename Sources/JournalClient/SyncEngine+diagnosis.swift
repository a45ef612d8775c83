// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

// The head's root tells that the server's rows are not those of the vault, not which of them lies.
// After a verification that failed by that, and only then, the rows are looked at one by one: by
// what this device verified earlier, and by what their blobs are bound to.
extension SyncEngine {
  /// The most blobs that are fetched to be looked at, and the most bindings that are tried.
  private static let mostBlobs = 20_000
  private static let mostBindings = 200_000

  /// The entries that are known to be altered; empty where the lie cannot be told from the truth.
  ///
  /// - Parameters:
  ///   - reading: Rows that do not give the root of their head, which is the owner's.
  ///   - pin: The head that this device verified before.
  ///   - session: Whom to ask for blobs.
  /// - Returns: Of each what was done to it.
  /// - Throws: What SQLite says.
  func diagnose(
    _ reading: FeedReading, _ pin: HeadPoint, _ session: Session
  ) async throws(JournalError) -> [AlteredEntry] {
    var stated: [ObjectID: Row] = [:]
    for row in reading.rows { stated[row.id] = row }
    // Revisions of one generation only rise; another one began on what its server had.
    let isSame = reading.last.generation == pin.generation
    let known = isSame ? try rootAt(pin) : VaultRoot()
    var altered: [AlteredEntry] = []
    var suspects: [Row] = []
    var repeated: [Row] = []
    for row in stated.values.sorted(by: { $0.id < $1.id }) {
      guard let mine = known.row(row.id) else {
        suspects.append(row)
        continue
      }
      if row == mine {
        repeated.append(row)
      } else if row.revision < mine.revision {
        altered.append(AlteredEntry(id: row.id, .turnedBack))
      } else {
        suspects.append(row)
      }
    }
    if reading.isWhole {
      altered += known.rows.filter { stated[$0.id] == nil }
        .map { AlteredEntry(id: $0.id, .leftOut) }
    }
    altered += try await look(at: suspects, reading.blobs, stated, known, session)
    if altered.isEmpty, !reading.isWhole, !cursorIsBehind {
      // Said to have changed since, and shown as it was.
      for row in repeated where try isOfAnotherDevice(row, session.keys) {
        altered.append(AlteredEntry(id: row.id, .turnedBack))
      }
    }
    return altered
  }

  /// What the blobs of `suspects` tell, each of its own row.
  private func look(
    at suspects: [Row], _ came: [ObjectID: SealedRevision], _ stated: [ObjectID: Row],
    _ known: VaultRoot, _ session: Session
  ) async throws(JournalError) -> [AlteredEntry] {
    var failing: [(row: Row, blob: [UInt8])] = []
    var unseen: [Row] = []
    for row in suspects {
      let kept = try journal.store.read { (store) throws(JournalError) in
        try store.revision(row.id, hash: row.hash)?.sealed
      }
      if let here = came[row.id] ?? kept, here.hash == row.hash, here.isWhole {
        if !opens(here.blob, row.id, row.revision, session) { failing.append((row, here.blob)) }
      } else {
        unseen.append(row)
      }
    }
    unseen = Array(unseen.prefix(Self.mostBlobs))
    var next = 0
    while next < unseen.count {
      // A server that says no more leaves what is known so far.
      guard let batch = try? await Self.fetch(unseen, from: next, session.api) else { break }
      next += batch.answered
      failing += batch.missing.filter { !$0.blob.isEmpty }
      for sealed in batch.revisions where !opens(sealed.blob, sealed.id, sealed.revision, session) {
        failing.append((sealed.row, sealed.blob))
      }
    }
    // Most often two have changed places.
    let likely = failing.map(\.row.id)
    let others = likely + Set(stated.keys).union(known.rows.map(\.id)).subtracting(likely)
    var tries = Self.mostBindings
    return failing.sorted { $0.row.id < $1.row.id }.map { row, blob in
      AlteredEntry(id: row.id, alteration(of: row, blob, others, &tries, session))
    }
  }

  /// What was done to `row`, whose blob does not open as it.
  private func alteration(
    of row: Row, _ blob: [UInt8], _ others: [ObjectID], _ tries: inout Int, _ session: Session
  ) -> AlteredEntry.Alteration {
    if opens(blob, row.id, nil, session) { return .turnedBack }
    for other in others where other != row.id {
      guard tries > 0 else { break }
      tries -= 1
      if opens(blob, other, nil, session) { return .swapped(with: other) }
    }
    return .tampered
  }

  /// Whether `blob` was sealed for that record and revision; for any revision where it is `nil`.
  private func opens(
    _ blob: [UInt8], _ id: ObjectID, _ revision: UInt64?, _ session: Session
  ) -> Bool {
    let keys = session.keys
    do {
      _ = try keys.keyring.open(
        blob.span, .record, oid: id, revision: revision, uid: keys.uid)
      return true
    } catch {
      return false
    }
  }

  private func isOfAnotherDevice(
    _ row: Row, _ keys: UnlockedKeys
  ) throws(JournalError) -> Bool {
    try journal.store.read { (store) throws(JournalError) in
      guard let device = try store.state()?.device,
        let sealed = try store.revision(row.id, hash: row.hash)?.sealed,
        let writer = (try? sealed.open(with: keys))?.device
      else { return false }
      return writer != device
    }
  }
}
