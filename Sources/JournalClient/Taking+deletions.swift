// SPDX-License-Identifier: Apache-2.0
import KeyFlow

// The guard against mass deletion (SYNC.md §4): a feed that would delete more than a tenth of the
// records, and more than ten, waits for the user's yes.
extension Taking {
  private static let alwaysAllowed = 10

  /// Splits `arrivals` into those that delete nothing shown here and those that do.
  func setDeletionsAside(
    _ arrivals: [Arrival]
  ) throws(JournalError) -> (taken: [Arrival], aside: [Arrival]) {
    var taken: [Arrival] = []
    var aside: [Arrival] = []
    for arrival in arrivals {
      if try deletes(arrival) { aside.append(arrival) } else { taken.append(arrival) }
    }
    return (taken, aside)
  }

  /// - Throws: `confirmationNeeded` where `arrivals` would delete too much.
  func guardDeletions(_ arrivals: [Arrival]) throws(JournalError) {
    var count = 0
    for arrival in arrivals where try deletes(arrival) { count += 1 }
    guard count > Self.alwaysAllowed else { return }
    let live = try liveRecords()
    guard count * 10 <= live else { throw .confirmationNeeded(count: count) }
  }

  /// Whether `arrival` is a tombstone that would take away what is shown here and not changed here.
  private func deletes(_ arrival: Arrival) throws(JournalError) -> Bool {
    guard arrival.record?.deletedAt != nil,
      let current = try store.current(arrival.sealed.id), current.state != .pending,
      let shown = try? current.sealed.open(with: keys)
    else { return false }
    return shown.deletedAt == nil
  }

  private func liveRecords() throws(JournalError) -> Int {
    var live = 0
    for id in try store.recordIDs() {
      guard let current = try store.current(id) else { continue }
      let record = try? current.sealed.open(with: keys)
      if record?.deletedAt == nil { live += 1 }
    }
    return live
  }
}
