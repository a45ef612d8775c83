// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
public import KeyFlow
import Sodium
import SwiftProtobuf

/// Something that happened to the journal on this device, for its owner to read.
public struct ActivityEvent: Equatable, Sendable {
  /// What happened; kinds of newer versions are kept.
  public struct What: RawRepresentable, Hashable, Sendable {
    /// The word that stands in the log.
    public let rawValue: String

    /// The event of that word.
    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// A verified sync ended.
    public static let synced = What(rawValue: "synced")
    /// Two edits of a record were joined.
    public static let merged = What(rawValue: "merged")
    /// Of two edits the later one won; the other is in the history.
    public static let superseded = What(rawValue: "superseded")
    /// Of two edits both were kept, as two entries.
    public static let keptBoth = What(rawValue: "kept-both")
    /// A file was imported.
    public static let imported = What(rawValue: "imported")
    /// The keys or the account changed.
    public static let account = What(rawValue: "account")
    /// The server's account of the vault did not add up.
    public static let refused = What(rawValue: "refused")
  }

  /// Its place in the log; 0 before it is in it.
  public internal(set) var number: Int64 = 0
  /// When, by this device's clock.
  public var time: Instant
  /// What happened.
  public var what: What
  /// The device that did it, where that was another one.
  public var device: ObjectID?
  /// The record it is about.
  public var record: ObjectID?
  /// Records that came.
  public var received: Int
  /// Records that went.
  public var sent: Int
  /// A word more; may hold a title, so it stands inside the seal only.
  public var detail: String

  /// An event of its parts.
  public init(
    _ what: What, time: Instant, device: ObjectID? = nil, record: ObjectID? = nil,
    received: Int = 0, sent: Int = 0, detail: String = ""
  ) {
    self.what = what
    self.time = time
    self.device = device
    self.record = record
    self.received = received
    self.sent = sent
    self.detail = detail
  }

  /// Reads a logged event.
  init?(_ bytes: [UInt8], number: Int64) {
    guard let message = try? PayloadActivity(serializedBytes: bytes) else { return nil }
    self.init(
      What(rawValue: message.event), time: Instant(milliseconds: message.time),
      device: ObjectID(message.device), record: ObjectID(message.record),
      received: Int(message.received), sent: Int(message.sent), detail: message.detail)
    self.number = number
  }

  /// The bytes to seal.
  func encode() throws(JournalError) -> [UInt8] {
    var message = PayloadActivity()
    message.time = time.milliseconds
    message.event = what.rawValue
    message.device = device?.data ?? Data()
    message.record = record?.data ?? Data()
    message.received = UInt32(clamping: received)
    message.sent = UInt32(clamping: sent)
    message.detail = String(detail.prefix(1000))
    do {
      return try message.serializedBytes()
    } catch {
      throw .badInput("an event that cannot be written")
    }
  }
}

extension Journal {
  /// The newest events, newest first.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func activity(limit: Int) throws(JournalError) -> [ActivityEvent] {
    let keys = try keys.unlocked()
    return try store.read { (store) throws(JournalError) in
      try store.activity(limit: limit, keys)
    }
  }
}

extension StoreTransaction {
  /// Events kept; older ones are forgotten.
  private static let kept = 10_000

  /// Appends an event to the log, sealed.
  func log(_ event: ActivityEvent, _ keys: UnlockedKeys) throws(JournalError) {
    let content = try event.encode()
    let oid = ObjectID.make()
    let blob = keys.keyring.seal(
      content.span, .localItem, oid: oid, revision: 0, uid: keys.uid)
    try run(
      "INSERT INTO activity (oid, epoch, blob) VALUES (?, ?, ?)",
      [oid.data, Int64(keys.keyring.epoch), Data(blob)])
    try run("DELETE FROM activity WHERE id <= ?", [db.lastInsertedRowID - Int64(Self.kept)])
  }

  /// The newest events that open, newest first.
  func activity(limit: Int, _ keys: UnlockedKeys) throws(JournalError) -> [ActivityEvent] {
    let sealed = try all(
      "SELECT id, oid, blob FROM activity ORDER BY id DESC LIMIT ?", [limit]
    ) { row -> (Int64, ObjectID, [UInt8])? in
      guard let number = row.number(0), let oid = row.id(1), let blob = row.bytes(2) else {
        return nil
      }
      return (number, oid, blob)
    }
    return sealed.compactMap { number, oid, blob in
      let content = try? keys.keyring.open(
        blob.span, .localItem, oid: oid, revision: nil, uid: keys.uid)
      guard let content else { return nil }
      return content.withBytes { bytes in
        bytes.copy(0..<bytes.count).flatMap { ActivityEvent($0, number: number) }
      }
    }
  }
}
