// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
import Sodium

/// One sealed revision of a record: made once, and not a byte of it changes on its way.
public struct SealedRevision: Equatable, Sendable {
  /// The record.
  public let id: ObjectID
  /// Its number, from 1; part of what the blob is bound to.
  public let revision: UInt64
  /// The epoch whose key it is sealed under.
  public let epoch: UInt32
  /// `blobHash`.
  public let hash: Digest
  /// The sealed bytes.
  public let blob: [UInt8]

  /// A revision as it came from the server or stands in the store; nothing of it is checked.
  init(id: ObjectID, revision: UInt64, epoch: UInt32, hash: Digest, blob: [UInt8]) {
    self.id = id
    self.revision = revision
    self.epoch = epoch
    self.hash = hash
    self.blob = blob
  }

  /// Seals `record` as its revision of that number under the current key.
  ///
  /// - Throws: `tooLarge`.
  init(
    sealing record: Record, revision: UInt64, under keys: UnlockedKeys
  ) throws(JournalError) {
    let content = try record.encode()
    let blob = keys.keyring.seal(
      content.span, .record, oid: record.id, revision: revision, uid: keys.uid)
    self.init(
      id: record.id, revision: revision, epoch: keys.keyring.epoch,
      hash: Digest(ofBlob: blob.span), blob: blob)
  }

  /// Whether the bytes are those that ``hash`` was made of.
  var isWhole: Bool { Digest(ofBlob: blob.span) == hash }

  /// Opens and reads it; all that can be wrong with it is one error.
  ///
  /// - Throws: `damaged`.
  func open(with keys: UnlockedKeys) throws(JournalError) -> Record {
    do {
      let content = try keys.keyring.open(
        blob.span, .record, oid: id, revision: revision, uid: keys.uid)
      var bytes: [UInt8] = []
      content.withBytes { bytes.append(copying: $0) }
      return try Record(id: id, decoding: bytes)
    } catch {
      throw .damaged(ids: [id])
    }
  }
}

/// What the store knows of a revision.
enum RevisionState: Int, Sendable {
  /// Not acknowledged by a server yet; in a local journal, the newest one.
  case pending = 1
  /// The newest acknowledged one: what a merge starts from.
  case base = 2
  /// Older, or put aside by a merge.
  case history = 3
  /// It does not open: listed, exportable raw, never uploaded, in nothing's way.
  case quarantined = 4
}

/// A revision in the store.
struct StoredRevision: Sendable {
  /// Its place in the order of arrival.
  let rowID: Int64
  let state: RevisionState
  let sealed: SealedRevision
}
