// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

/// What a pull brought, and what still waits.
struct Pulled {
  var report = SyncReport()
  /// Deletions that came with the feed, to be counted together with those that are fetched.
  var held: [Arrival] = []
  /// Rows of the verified vault whose blobs the server did not hand out; they stay wanted.
  var withheld: [ObjectID] = []
  /// Deletions that wait for the user's yes; they stay wanted.
  var deletions = 0

  /// - Throws: `confirmationNeeded`, `withheld`.
  func requireAll() throws(JournalError) {
    guard deletions == 0 else { throw .confirmationNeeded(count: deletions) }
    guard withheld.isEmpty else { throw .withheld(ids: withheld) }
  }
}

extension SyncEngine {
  /// Fetches the blobs of verified rows that this device does not have, newest first.
  ///
  /// Bytes that do not fit their row are taken for damaged only when they came a second time; a row
  /// without bytes stays wanted for as long as the server states it.
  ///
  /// - Returns: Whether something is missing that the news may explain.
  func receive(
    _ session: Session, _ options: SyncOptions, _ pulled: inout Pulled, isFirst: Bool
  ) async throws(JournalError) -> Bool {
    pulled.withheld = []
    pulled.deletions = 0
    let all = try journal.store.read { (store) throws(JournalError) in try store.wanted() }
    let hashes = Dictionary(all.map { ($0.id, $0.hash) }, uniquingKeysWith: { first, _ in first })
    var deletions = pulled.held.filter { hashes[$0.sealed.id] == $0.sealed.hash }
    pulled.held = deletions
    let held = Set(deletions.map(\.sealed.id))
    let wanted = all.filter { !held.contains($0.id) }
    var missing: [(row: Row, blob: [UInt8])] = []
    var next = 0
    var fetching = fetch(wanted, from: 0, session.api)
    defer { fetching.cancel() }
    while next < wanted.count {
      options.progress(SyncProgress(.receiving, done: next, total: wanted.count))
      let batch: FetchedBatch
      do {
        batch = try await fetching.value.get()
      } catch {
        throw try refused(error, session)
      }
      next += batch.answered
      // The next blobs come while these are opened and stored.
      fetching = fetch(wanted, from: next, session.api)
      missing += batch.missing
      let arrivals = try await arrivals(batch.revisions, session)
      let (report, aside) = try journal.store.write {
        (store) throws(JournalError) -> (SyncReport, [Arrival]) in
        var taking = try Taking(store, session.keys, journal, settings.merge)
        var aside: [Arrival] = []
        for arrival in arrivals.values {
          if try taking.deletes(arrival) {
            aside.append(arrival)
          } else {
            try store.unwant(arrival.sealed.id)
            try taking.take(arrival)
          }
        }
        return (taking.report, aside)
      }
      pulled.report.add(report)
      deletions += aside
    }
    try delete(deletions, session, options, &pulled)
    let damaged = missing.filter { !$0.blob.isEmpty }
    pulled.withheld = missing.filter(\.blob.isEmpty).map(\.row.id)
    if isFirst || damaged.isEmpty { return !missing.isEmpty }
    pulled.report.add(
      try journal.store.write { (store) throws(JournalError) in
        var taking = try Taking(store, session.keys, journal, settings.merge)
        for (row, blob) in damaged { try taking.quarantine(row, blob) }
        return taking.report
      })
    return !pulled.withheld.isEmpty
  }

  /// Takes deletions in, all or none: those that are too many wait.
  private func delete(
    _ deletions: [Arrival], _ session: Session, _ options: SyncOptions, _ pulled: inout Pulled
  ) throws(JournalError) {
    guard !deletions.isEmpty else { return }
    do {
      pulled.report.add(
        try journal.store.write { (store) throws(JournalError) in
          var taking = try Taking(store, session.keys, journal, settings.merge)
          for arrival in deletions {
            try store.unwant(arrival.sealed.id)
            try taking.takeDeletion(arrival)
          }
          try taking.guardDeletions(isAllowed: options.allowsDeletions)
          return taking.report
        })
      pulled.held = []
    } catch .confirmationNeeded(let count) {
      pulled.deletions = count
    }
  }

  /// Some of the wanted blobs.
  struct FetchedBatch: Sendable {
    /// How many rows of the question it answers.
    var answered: Int
    var revisions: [SealedRevision] = []
    /// Rows whose blob is another one now, or does not have the row's hash.
    var missing: [(row: Row, blob: [UInt8])] = []
  }

  private nonisolated func fetch(
    _ wanted: [Row], from start: Int, _ api: VaultAPI
  ) -> Task<Result<FetchedBatch, APIError>, Never> {
    Task {
      do throws(APIError) {
        return .success(try await Self.fetch(wanted, from: start, api))
      } catch {
        return .failure(error)
      }
    }
  }

  /// Some of `wanted`, from the one at `start`.
  static func fetch(
    _ wanted: [Row], from start: Int, _ api: VaultAPI
  ) async throws(APIError) -> FetchedBatch {
    let asked = wanted[start...].prefix(Limits.fetchRecords)
    guard !asked.isEmpty else { return FetchedBatch(answered: 0) }
    let answer = try await api.fetch(asked.map { ($0.id, $0.hash) })
    let answered = Int(answer.answered)
    guard (1...asked.count).contains(answered) else { throw .garbled }
    var rows = Dictionary(
      asked.prefix(answered).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var batch = FetchedBatch(answered: answered)
    for record in answer.records {
      guard let id = ObjectID(record.recordID), let row = rows.removeValue(forKey: id) else {
        throw .garbled
      }
      if let revision = try SealedRevision(record, of: row) {
        batch.revisions.append(revision)
      } else {
        batch.missing.append((row, [UInt8](record.blob)))
      }
    }
    // What is left moved on, by the answer's own word or by its silence.
    batch.missing += rows.values.map { ($0, []) }
    return batch
  }
}
