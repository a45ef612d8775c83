// SPDX-License-Identifier: Apache-2.0
import Foundation
public import KeyFlow
import SwiftProtobuf

/// What kind of thing a record is; stands inside the seal.
///
/// Kinds of newer versions are kept as they come and never shown.
public struct RecordKind: RawRepresentable, Hashable, Sendable {
  /// The number inside the seal, 0…255.
  public let rawValue: UInt8

  /// The kind of that number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// A journal entry.
  public static let entry = RecordKind(rawValue: 1)
  /// The audio preferences.
  public static let audioPreferences = RecordKind(rawValue: 2)
  /// The recently-played list.
  public static let recentlyPlayed = RecordKind(rawValue: 3)
  /// The queue state.
  public static let queueState = RecordKind(rawValue: 4)
}

/// One revision of a record, opened: what stands inside the seal, whatever its kind.
///
/// Fields that this version does not know stay in it.
public struct Record: Equatable, Sendable {
  /// The record's id.
  public let id: ObjectID
  var payload: PayloadRecord

  /// A new state of a record, made from the revisions whose blobs hash to `parents`.
  ///
  /// `content` is the kind's message, empty in a tombstone.
  public init(
    id: ObjectID, kind: RecordKind, content: [UInt8], updatedAt: Instant,
    deletedAt: Instant? = nil, parents: [Digest], device: ObjectID, superseded: Bool = false
  ) {
    self.id = id
    payload = PayloadRecord()
    payload.kind = UInt32(kind.rawValue)
    payload.content = Data(content)
    payload.updatedAt = updatedAt.milliseconds
    if let deletedAt { payload.deletedAt = deletedAt.milliseconds }
    payload.parents = parents.map { Data($0.bytes) }
    payload.contentHash = Data(
      KeyFlow.contentHash(recordKind: kind.rawValue, content: content).bytes)
    payload.device = Data(device.bytes)
    payload.superseded = superseded
  }

  /// Reads an opened blob.
  ///
  /// - Throws: ``RecordError``, and never traps, for whatever does not have a record's form.
  init(id: ObjectID, decoding bytes: [UInt8]) throws(RecordError) {
    let payload: PayloadRecord
    do {
      payload = try PayloadRecord(serializedBytes: bytes)
    } catch {
      throw .form
    }
    guard payload.kind <= 255 else { throw .form }
    self.id = id
    self.payload = payload
    let hash = KeyFlow.contentHash(recordKind: kind.rawValue, content: content)
    guard hash.bytes == [UInt8](payload.contentHash) else { throw .contentHash }
  }

  /// The bytes to seal.
  ///
  /// - Throws: `tooLarge` where they would not fit a blob.
  func encode() throws(JournalError) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = try payload.serializedBytes()
    } catch {
      throw .badInput("an entry that cannot be written")
    }
    guard bytes.count <= Blob.largestContent else { throw .tooLarge(limit: Blob.largestContent) }
    return bytes
  }

  /// The kind.
  public var kind: RecordKind { RecordKind(rawValue: UInt8(truncatingIfNeeded: payload.kind)) }
  /// The kind's message.
  public var content: [UInt8] { [UInt8](payload.content) }
  /// When its writer saved it, by that device's clock.
  public var updatedAt: Instant { Instant(milliseconds: payload.updatedAt) }
  /// When it was deleted; `nil` where it lives.
  public var deletedAt: Instant? {
    payload.hasDeletedAt ? Instant(milliseconds: payload.deletedAt) : nil
  }
  /// The hashes of the blobs it was made from.
  public var parents: [Digest] { payload.parents.compactMap { Digest($0) } }
  /// The hash by which "changed" is judged.
  public var contentHash: Digest { Digest(payload.contentHash) ?? .zero }
  /// The device that wrote it.
  public var device: ObjectID? { ObjectID(payload.device) }
  /// Whether a merge put it aside, right below the revision that won.
  public var superseded: Bool { payload.superseded }

  /// This state again, to be sealed with other parents, by another device or as a merge's loser;
  /// content, times and unknown fields stay.
  func with(parents: [Digest], device: ObjectID, superseded: Bool = false) -> Record {
    var record = self
    record.payload.parents = parents.map { Data($0.bytes) }
    record.payload.device = Data(device.bytes)
    record.payload.superseded = superseded
    return record
  }
}

/// Why opened bytes are no record.
enum RecordError: Error, Equatable {
  /// Not the message that a record is.
  case form
  /// The content is not the one that its hash was made of.
  case contentHash
}
