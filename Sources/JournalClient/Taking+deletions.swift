// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium

// The guard against mass deletion (SYNC.md §4): when other devices would delete more than a tenth
// of the records, and more than ten, within a day, the rest of it waits for the user's yes. What
// counts is that an entry shown here would go, however its tombstone came.
extension Taking {
  private static let alwaysAllowed = 10

  /// Whether `arrival` is a tombstone of what is shown here.
  func deletes(_ arrival: Arrival) throws(JournalError) -> Bool {
    guard arrival.record?.deletedAt != nil else { return false }
    return try isShown(arrival.sealed.id)
  }

  /// Takes a tombstone in and counts whether it took anything away.
  mutating func takeDeletion(_ arrival: Arrival) throws(JournalError) {
    let id = arrival.sealed.id
    let wasShown = try isShown(id)
    try take(arrival)
    if wasShown, try !isShown(id) { vanished += 1 }
  }

  /// - Throws: `confirmationNeeded` where too much has vanished, unless that is allowed: then
  ///   counting begins anew.
  func guardDeletions(isAllowed: Bool) throws(JournalError) {
    guard vanished > 0 else { return }
    guard !isAllowed else { return try store.dropDeletionWindow() }
    var window = try store.deletionWindow(at: now, keys)
    window.count += vanished
    if window.count > Self.alwaysAllowed {
      let before = try shownRecords() + window.count
      guard window.count * 10 <= before else { throw .confirmationNeeded(count: vanished) }
    }
    try store.setDeletionWindow(window, keys)
  }

  private func isShown(_ id: ObjectID) throws(JournalError) -> Bool {
    guard let current = try store.current(id), let shown = try? current.sealed.open(with: keys)
    else { return false }
    return shown.deletedAt == nil
  }

  private func shownRecords() throws(JournalError) -> Int {
    var shown = 0
    for id in try store.recordIDs() where try isShown(id) { shown += 1 }
    return shown
  }
}

/// How many entries other devices deleted here without being asked about, since when.
struct DeletionWindow: Equatable {
  /// How long it lasts, in milliseconds: a day.
  static let length: Int64 = 86_400_000

  /// When it began, by this device's clock.
  var start: Instant
  /// Entries that were deleted since.
  var count = 0
}

extension StoreTransaction {
  private static let deletionItem = "deletions"

  /// The present window; a new one where there is none, it is over, or the clock went back.
  func deletionWindow(
    at now: Instant, _ keys: UnlockedKeys
  ) throws(JournalError) -> DeletionWindow {
    let window = try item(Self.deletionItem, with: keys)?.withBytes { bytes -> DeletionWindow? in
      guard let start: Int64 = bytes.integer(at: 0), let count: UInt32 = bytes.integer(at: 8)
      else { return nil }
      return DeletionWindow(start: Instant(milliseconds: start), count: Int(count))
    }
    guard let window = window ?? nil else { return DeletionWindow(start: now) }
    let (age, overflow) = now.milliseconds.subtractingReportingOverflow(window.start.milliseconds)
    let isOver = overflow || age < 0 || age > DeletionWindow.length
    return isOver ? DeletionWindow(start: now) : window
  }

  /// Keeps the window, sealed: `i64 start ‖ u32 count`.
  func setDeletionWindow(
    _ window: DeletionWindow, _ keys: UnlockedKeys
  ) throws(JournalError) {
    var writer = ByteWriter()
    writer.put(window.start.milliseconds)
    writer.put(UInt32(clamping: window.count))
    try setItem(Self.deletionItem, writer.bytes, with: keys)
  }

  /// Begins to count anew.
  func dropDeletionWindow() throws(JournalError) {
    try dropItem(Self.deletionItem)
  }
}
