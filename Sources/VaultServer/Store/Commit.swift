// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// One revision of one record: `revision` counts from 1 and only grows.
public struct Revision: Equatable, Sendable {
  /// The record.
  public var record: RecordID
  /// The revision's number; 1 or more, and fits in 63 bits.
  public var number: UInt64
  /// The sealed bytes.
  public var blob: Data
  /// The blob's hash; as claimed in a commit, as checked in an answer.
  public var hash: BlobHash

  /// A revision with the hash that is claimed or stored for it.
  public init(record: RecordID, number: UInt64, blob: Data, hash: BlobHash) {
    self.record = record
    self.number = number
    self.blob = blob
    self.hash = hash
  }
}

/// An atomic batch of revisions on top of a known head.
public struct Commit: Equatable, Sendable {
  /// Made before the first try; a repeat gets the first answer.
  public var id: CommitID
  /// The head that this commit stands on; the new head's seq is one more.
  public var baseSeq: UInt64
  /// The vault's generation as the client knows it.
  public var generation: UInt32
  /// The vault's epoch as the client knows it.
  public var epoch: UInt32
  /// At most 1,000; several revisions of one record stand in ascending order.
  public var revisions: [Revision]
  /// The new head's blob.
  public var head: Data

  /// A commit to be applied.
  public init(
    id: CommitID, baseSeq: UInt64, generation: UInt32, epoch: UInt32, revisions: [Revision],
    head: Data
  ) {
    self.id = id
    self.baseSeq = baseSeq
    self.generation = generation
    self.epoch = epoch
    self.revisions = revisions
    self.head = head
  }
}

/// The answer to ``VaultStore/apply(_:caller:now:)``.
public enum CommitOutcome: Equatable, Sendable {
  /// Durable, as the head with this seq: by this request or an equal earlier one.
  case accepted(seq: UInt64)
  /// The base, generation or epoch is not the vault's; here is what is. Nothing was written.
  case conflict(VaultState)
  /// It would take the vault beyond its quota; a commit that makes nothing grow never does.
  case quotaExceeded(VaultState)
  /// It can never be accepted as it is.
  case refused(CommitFault)
}

/// What is wrong with a request's own content (422, or 413 where a size is).
public enum CommitFault: Equatable, Sendable {
  /// The commit id was used with another body.
  case idReused
  /// More than the allowed number of records in one commit.
  case tooManyRecords(Int)
  /// More than the allowed bytes in one commit.
  case tooManyBytes(Int)
  /// A record's blob is shorter or longer than any blob is.
  case blobSize(RecordID, bytes: Int)
  /// A record's blob does not have the hash that is claimed.
  case hashMismatch(RecordID)
  /// A revision that is not greater than the one stored (or before it in this commit), or is 0,
  /// or does not fit in 63 bits.
  case revisionNotGreater(RecordID, stored: UInt64)
  /// Another field's size is outside its limits; its name as in the `.proto`.
  case fieldSize(String, bytes: Int)
  /// A number is out of range or falls where it may not; its name as in the `.proto`.
  case fieldValue(String)
}
