// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import VaultProtocol

extension SyncEngine {
  /// How often one pull asks for blobs that do not come, each time after the news.
  private static let rounds = 3

  /// Reads what changed, verifies it, and takes it in; then fetches the blobs still missing.
  func pull(
    _ session: Session, _ options: SyncOptions, first: WaitedPage?
  ) async throws(JournalError) -> Pulled {
    var pulled = Pulled()
    for round in 1...Self.rounds {
      if let news = try await readNews(session, options, first: round == 1 ? first : nil) {
        pulled.report.add(try await take(news, session, options, &pulled.held))
      }
      // A row may move on while its blob is asked for: then the news say so.
      guard try await receive(session, options, &pulled, isFirst: round == 1) else { break }
    }
    return pulled
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
  /// - Throws: `rolledBack`, `forked`, `incomplete`, `altered`, `newGeneration`, `needsPassword` for
  ///   a newer epoch. Then nothing here changed.
  private func readNews(
    _ session: Session, _ options: SyncOptions, first: WaitedPage?
  ) async throws(JournalError) -> News? {
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    options.progress(SyncProgress(.verifying))
    // A page of another time is asked for again: its heads begin elsewhere.
    let page = first.flatMap { $0.cursor == state.cursor && $0.pin == pin ? $0 : nil }
    let rowsOnly = page?.rowsOnly ?? cursorIsBehind
    let reading: FeedReading?
    do {
      reading = try await session.api.read(
        cursor: state.cursor, pin: pin.seq, rowsOnly: rowsOnly, first: page?.changes)
    } catch {
      throw try refused(error, session)
    }
    try noteStartOver(reading?.last.vault, session)
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
    let keys = session.keys
    do {
      let (_, point) = try snapshot.verify(
        from: start, root: &root, keyring: keys.keyring, uid: keys.uid)
      return News(
        reading: reading, root: root, point: point, head: snapshot.heads.last ?? [], pin: pin)
    } catch {
      // Where the chain holds, it is the rows that lie.
      guard error == .incomplete,
        (try? snapshot.newest(from: start, keyring: keys.keyring, uid: keys.uid)) != nil
      else { throw JournalError(error) }
    }
    let altered = try await diagnose(reading, pin, session)
    throw altered.isEmpty ? .incomplete : .altered(entries: altered)
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
    guard let reading else { throw .incomplete }
    let last = reading.last
    let snapshot = Snapshot(
      generation: last.generation, seq: last.seq, heads: last.heads.map { [UInt8]($0.blob) })
    do {
      return (
        reading,
        try snapshot.beginning(keyring: session.keys.keyring, uid: session.keys.uid)
      )
    } catch {
      throw JournalError(error)
    }
  }

  /// The root over the vault's rows at `pin`, from memory or from the store.
  func rootAt(_ pin: HeadPoint) throws(JournalError) -> VaultRoot {
    if let root, root.at == pin { return root.rows }
    let rows = try journal.store.read { (store) throws(JournalError) in try store.vaultRows() }
    guard let built = VaultRoot(rows) else { throw .damagedStore }
    root = (built, pin)
    return built
  }

  /// Takes verified news in, in one transaction; blobs that did not come with it are noted, and so
  /// are deletions, which are counted together: those that came are put into `held`.
  private func take(
    _ news: News, _ session: Session, _ options: SyncOptions, _ held: inout [Arrival]
  ) async throws(JournalError) -> SyncReport {
    let arrivals = try await arrivals(Array(news.reading.blobs.values), session)
    let taken = try journal.store.write { (store) throws(JournalError) -> Taken in
      var held: [Arrival] = []
      guard let state = try store.state(), state.pin == news.pin, state.uid == session.keys.uid
      else { throw .keysChanged }
      var taking = try Taking(store, session.keys, journal, settings.merge)
      if news.reading.isWhole {
        try store.dropVaultRows()
        try store.dropWanted()
      }
      var place = 0
      for row in news.reading.rows where news.root.row(row.id) == row {
        place += 1
        try store.setVaultRow(row)
        if let arrival = arrivals[row.id], arrival.sealed.hash == row.hash {
          if try taking.deletes(arrival) {
            try store.want(row, place: place)
            held.append(arrival)
          } else {
            try store.unwant(row.id)
            try taking.take(arrival)
          }
        } else if let known = try store.revision(row.id, hash: row.hash), known.sealed.isWhole {
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
      return (taking.report, held)
    }
    held += taken.held
    root = (news.root, news.point)
    cursorIsBehind = false
    return taken.report
  }

  private typealias Taken = (report: SyncReport, held: [Arrival])
}
