// SPDX-License-Identifier: Apache-2.0
import Foundation
public import KeyFlow
import Sodium
import SwiftProtobuf

/// A journal entry: what a person wrote, with what belongs to it.
public struct Entry: Identifiable, Equatable, Sendable {
  /// The record's id.
  public let id: ObjectID
  /// When it was last saved, by the clock of the device that did.
  public internal(set) var updatedAt: Instant
  /// When it was deleted; `nil` where it lives.
  public internal(set) var deletedAt: Instant?
  var message: PayloadEntry

  /// A new entry.
  public init(
    id: ObjectID, title: String = "", content: String, createdAt: Instant, tags: [String] = [],
    timeZone: String = "", source: [UInt8] = []
  ) {
    self.id = id
    updatedAt = createdAt
    message = PayloadEntry()
    message.createdAt = createdAt.milliseconds
    message.title = title
    message.content = content
    message.tags = tags
    message.timeZone = timeZone
    message.source = Data(source)
  }

  /// The entry in `record`; `nil` where it is of another kind or has another form.
  ///
  /// A tombstone gives an empty entry with ``deletedAt`` set.
  init?(_ record: Record) {
    guard record.kind == .entry,
      let message = try? PayloadEntry(serializedBytes: record.payload.content)
    else { return nil }
    id = record.id
    updatedAt = record.updatedAt
    deletedAt = record.deletedAt
    self.message = message
  }

  /// The title, one line; may be empty.
  public var title: String {
    get { message.title }
    set { message.title = newValue }
  }
  /// The text, markdown.
  public var content: String {
    get { message.content }
    set { message.content = newValue }
  }
  /// The moment that the entry is about.
  public var createdAt: Instant {
    get { Instant(milliseconds: message.createdAt) }
    set { message.createdAt = newValue.milliseconds }
  }
  /// The tags, in the order given.
  public var tags: [String] {
    get { message.tags }
    set { message.tags = newValue }
  }
  /// The IANA name of the time zone it was written in; may be empty.
  public var timeZone: String {
    get { message.timeZone }
    set { message.timeZone = newValue }
  }
  /// What an importer kept and this program does not read.
  public var source: [UInt8] {
    get { [UInt8](message.source) }
    set { message.source = Data(newValue) }
  }
  /// The id that it had where it was imported from; empty where it was written here.
  public var sourceID: String {
    get { message.sourceID }
    set { message.sourceID = newValue }
  }
  /// The first 8 bytes of a hash of ``sourceID``, 0 where there is none: what the list index finds
  /// it by.
  var sourceKey: UInt64 { Self.sourceKey(of: message.sourceID) }

  /// The key of a source id; 0 for none.
  static func sourceKey(of id: String) -> UInt64 {
    guard !id.isEmpty else { return 0 }
    return SHA512.hash(Array(id.utf8), count: 8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The entry that this is a conflict copy of.
  public var conflictOf: ObjectID? {
    get { ObjectID(message.conflictOf) }
    set { message.conflictOf = Data(newValue?.bytes ?? []) }
  }

  /// The bytes that `contentHash` is made of; unknown fields are among them.
  ///
  /// - Throws: `badInput` where they cannot be written.
  func encode() throws(JournalError) -> [UInt8] {
    do {
      return try message.serializedBytes()
    } catch {
      throw .badInput("an entry that cannot be written")
    }
  }
}
