// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import Sodium

/// An entry as a file to import holds it, whatever the format.
struct ImportItem: Sendable {
  /// Where it stands in the file, for people: "entry 12", a file's name.
  var place: String
  /// The record it is, in our own format.
  var recordID: ObjectID?
  /// The id it has in its own format; empty where the format has none.
  var sourceID = ""
  var title = ""
  var content = ""
  var createdAt: Instant?
  var updatedAt: Instant?
  /// `nil` where the format says nothing of tags.
  var tags: [String]?
  var timeZone: String?
  /// What this program does not read, kept as it came.
  var source: [UInt8] = []
  /// Pictures and the like, which stay in the source file.
  var attachments = 0
  /// The entry that it is a conflict copy of, in our own format.
  var conflictOf: ObjectID?
  /// The entry as a whole, where the file holds it as it was sealed.
  var entry: Entry?

  /// Where the format has no ids: what an entry is told by.
  mutating func makeSourceID() {
    guard recordID == nil, sourceID.isEmpty else { return }
    let parts = [title, content, createdAt?.iso8601 ?? ""].map { Array($0.utf8) }
    let digest = SHA512.hash(parts[0], [0], parts[1], [0], parts[2], count: 16)
    sourceID = "hash:" + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// An item of a file that was not taken, or not whole.
public struct ImportProblem: Equatable, Sendable {
  /// Where it stands in the file.
  public let place: String
  /// Why, in words; never the entry's text.
  public let reason: String

  /// A problem of its parts.
  public init(place: String, reason: String) {
    self.place = place
    self.reason = reason
  }
}

/// What an import did, or would do.
public struct ImportReport: Equatable, Sendable {
  /// Entries that were not here.
  public var added = 0
  /// Entries that the file has in a newer state; the one from here is in their history.
  public var updated = 0
  /// Entries that the file has in an older state, which went to their history.
  public var older = 0
  /// Entries that had been deleted here and live again.
  public var revived = 0
  /// Entries that are here as they are there.
  public var unchanged = 0
  /// Records of other kinds that were brought in.
  public var otherRecords = 0
  /// Pictures and the like, which stay in the source file.
  public var attachments = 0
  /// Items that were not taken, or not whole, and why.
  public var problems: [ImportProblem] = []

  /// All entries that were understood.
  public var total: Int { added + updated + older + revived + unchanged }

  /// A report of nothing.
  public init() {}
}

/// How an import is to be done.
public struct ImportOptions: Equatable, Sendable {
  /// Only count and report.
  public var dryRun: Bool
  /// Whether entries that were deleted here live again, as when a backup is restored.
  public var revivesDeleted: Bool
  /// The time zone of dates that name none, minutes east of UTC.
  public var minutesFromUTC: Int

  /// Options; without arguments, a real import that revives what was deleted.
  public init(dryRun: Bool = false, revivesDeleted: Bool = true, minutesFromUTC: Int = 0) {
    self.dryRun = dryRun
    self.revivesDeleted = revivesDeleted
    self.minutesFromUTC = minutesFromUTC
  }
}
