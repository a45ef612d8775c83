// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

extension SyncEngine {
  /// Reads what changed, verifies it, and takes it in; then fetches the blobs still missing.
  func pull(
    _ session: Session, _ options: SyncOptions, first: WaitedPage?
  ) async throws(JournalError) -> SyncReport {
    var report = SyncReport()
    for round in 1... {
      let news = try await readNews(session, options, first: round == 1 ? first : nil)
      if let news { report.add(try await take(news, session, options)) }
      let (received, moved) = try await receive(session, options, isLast: round > 1)
      report.add(received)
      // A row moved on while its blob was asked for: there is more to pull.
      guard moved else { break }
    }
    return report
  }

  /// A verified state of the vault.
  struct News {
    var reading: FeedReading
    var root: VaultRoot
    var point: HeadPoint
    var head: [UInt8]
    /// The pin that it was verified from.
    var pin: HeadPoint
  }

  /// The feed, read and verified; `nil` when nothing changed.
  ///
  /// - Throws: `rolledBack`, `forked`, `incomplete`, `newGeneration`, `needsPassword` for a newer
  ///   epoch. Then nothing here changed.
  private func readNews(
    _ session: Session, _ options: SyncOptions, first: WaitedPage?
  ) async throws(JournalError) -> News? {
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    options.progress(SyncProgress(.verifying))
    // A page of another time is asked for again.
    let page = first.flatMap { $0.cursor == state.cursor ? $0 : nil }
    let rowsOnly = page?.rowsOnly ?? cursorIsBehind
    let reading: FeedReading?
    do {
      reading = try await session.api.read(
        cursor: state.cursor, pin: pin.seq, rowsOnly: rowsOnly, first: page?.changes)
    } catch {
      throw try refused(error, session)
    }
    guard var reading else {
      cursorIsBehind = false
      return nil
    }
    var start = pin
    if reading.last.generation > pin.generation {
      guard options.allowsNewGeneration else { throw .newGeneration }
      (reading, start) = try await readNewGeneration(session)
    }
    let last = reading.last
    let epoch = session.keys.keyring.epoch
    guard last.generation < pin.generation || last.epoch <= epoch else {
      throw .needsPassword(.newEpoch)
    }
    var root = reading.isWhole ? VaultRoot() : try rootAt(pin)
    for row in reading.rows { root.set(row) }
    let snapshot = Snapshot(
      generation: last.generation, seq: last.seq, heads: last.heads.map { [UInt8]($0.blob) })
    do {
      let (_, point) = try snapshot.verify(
        from: start, root: &root, keyring: session.keys.keyring, uid: session.keys.uid)
      return News(
        reading: reading, root: root, point: point, head: snapshot.heads.last ?? [], pin: pin)
    } catch {
      throw JournalError(error)
    }
  }

  /// The whole of a vault that was begun anew, and its first head, from which it is verified: sealed
  /// under a key of ours, that is by a device of the owner's.
  private func readNewGeneration(
    _ session: Session
  ) async throws(JournalError) -> (FeedReading, HeadPoint) {
    let reading: FeedReading?
    do {
      reading = try await session.api.read(cursor: [], pin: 1, rowsOnly: true)
    } catch {
      throw try refused(error, session)
    }
    guard let reading, let blob = reading.last.heads.first.map({ [UInt8]($0.blob) }),
      let head = try? Head(opening: blob, with: session.keys.keyring, uid: session.keys.uid),
      head.generation == reading.last.generation, head.seq == 1
    else { throw .incomplete }
    return (
      reading,
      HeadPoint(generation: head.generation, seq: 1, hash: Digest(ofBlob: blob.span))
    )
  }

  /// The root over the vault's rows at `pin`, from memory or from the store.
  func rootAt(_ pin: HeadPoint) throws(JournalError) -> VaultRoot {
    if let root, root.at == pin { return root.rows }
    let rows = try journal.store.read { (store) throws(JournalError) in try store.vaultRows() }
    guard let built = VaultRoot(rows) else { throw .damagedStore }
    root = (built, pin)
    return built
  }

  /// Takes verified news in, in one transaction; blobs that did not come with it are noted.
  private func take(
    _ news: News, _ session: Session, _ options: SyncOptions
  ) async throws(JournalError) -> SyncReport {
    let arrivals = try await arrivals(Array(news.reading.blobs.values), session)
    let report = try journal.store.write { (store) throws(JournalError) -> SyncReport in
      guard let state = try store.state(), state.pin == news.pin, state.uid == session.keys.uid
      else { throw .keysChanged }
      var taking = try Taking(store, session.keys, journal, settings.merge)
      if !options.allowsDeletions { try taking.guardDeletions(Array(arrivals.values)) }
      if news.reading.isWhole {
        try store.dropVaultRows()
        try store.dropWanted()
      }
      var place = 0
      for row in news.reading.rows where news.root.row(row.id) == row {
        place += 1
        try store.setVaultRow(row)
        if let arrival = arrivals[row.id], arrival.sealed.hash == row.hash {
          try store.unwant(row.id)
          try taking.take(arrival)
        } else if let known = try store.revision(row.id, hash: row.hash) {
          try store.unwant(row.id)
          try taking.acknowledge(known)
        } else {
          try store.want(row, place: place)
        }
      }
      if news.reading.isWhole { try taking.offerWhatIsAbsent() }
      try store.setHead(news.head, at: news.point)
      try store.pruneHeads(before: news.point)
      try store.updateState {
        $0.pin = news.point
        $0.cursor = [UInt8](news.reading.last.cursor)
        $0.pulledAt = journal.environment.now()
      }
      return taking.report
    }
    root = (news.root, news.point)
    cursorIsBehind = false
    return report
  }

  /// Fetches the blobs of verified rows that this device does not have, newest first.
  ///
  /// With `isLast`, what still does not fit its row is taken for damaged; otherwise that is a reason
  /// to pull again, which the second value says.
  private func receive(
    _ session: Session, _ options: SyncOptions, isLast: Bool
  ) async throws(JournalError) -> (SyncReport, moved: Bool) {
    let wanted = try journal.store.read { (store) throws(JournalError) in try store.wanted() }
    var report = SyncReport()
    guard !wanted.isEmpty else { return (report, false) }
    var deletions: [Arrival] = []
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
      let held = try journal.store.write { (store) throws(JournalError) -> [Arrival] in
        var taking = try Taking(store, session.keys, journal, settings.merge)
        let (now, held) = try taking.setDeletionsAside(Array(arrivals.values))
        for arrival in now {
          try store.unwant(arrival.sealed.id)
          try taking.take(arrival)
        }
        report.add(taking.report)
        return held
      }
      deletions += held
    }
    try journal.store.write { (store) throws(JournalError) in
      var taking = try Taking(store, session.keys, journal, settings.merge)
      if !options.allowsDeletions { try taking.guardDeletions(deletions) }
      for arrival in deletions {
        try store.unwant(arrival.sealed.id)
        try taking.take(arrival)
      }
      if isLast {
        for (row, blob) in missing { try taking.quarantine(row, blob) }
      }
      report.add(taking.report)
    }
    return (report, !missing.isEmpty && !isLast)
  }

  /// Some of the wanted blobs.
  private struct FetchedBatch: Sendable {
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

  private static func fetch(
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
