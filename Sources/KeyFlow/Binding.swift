// SPDX-License-Identifier: Apache-2.0
import Sodium

/// What kind of object a blob is (SPEC §6); part of what it is bound to.
public enum Kind: UInt8, Sendable {
  /// One revision of a record.
  case record = 1
  /// The vault key, sealed for one way in.
  case slot = 2
  /// The client's statement of the whole vault.
  case head = 3
  /// The older epochs' keys.
  case keyring = 4
  /// A record in an export container.
  case exportRecord = 5
  /// "The owner asked for deletion", for the other devices.
  case deletionCertificate = 6
  /// A device's name.
  case deviceLabel = 7
  /// Whatever one device keeps for itself.
  case localItem = 8
}

/// The whole context of a blob: it opens with exactly this one and no other.
struct Binding: Equatable, Sendable {
  /// The kind of object.
  var kind: Kind
  /// The number of the vault key it is sealed under; 0 in exports.
  var epoch: UInt32
  /// A record's revision; a head's seq; otherwise the head's seq at writing.
  var revision: UInt64
  /// The account.
  var uid: ObjectID
  /// The object: a record's id, or a name.
  var oid: ObjectID

  /// The blob's first 20 bytes: magic, suite, kind, two zeros, epoch, revision.
  var header: [UInt8] {
    BlobHeader.magic + [BlobHeader.suite, kind.rawValue, 0, 0] + bigEndian(epoch)
      + bigEndian(revision)
  }
}

/// What a blob says of itself before it is opened: a claim until then.
public struct BlobHeader: Equatable, Sendable {
  static let magic = Array("KFB1".utf8)
  static let suite: UInt8 = 1
  static let count = 20

  /// The kind of object.
  public let kind: Kind
  /// The number of the vault key it claims.
  public let epoch: UInt32
  /// The revision it claims.
  public let revision: UInt64

  /// Reads the header of `blob`, whose length is checked first.
  ///
  /// - Throws: ``BlobError`` naming the first field that is not as it must be.
  public init(_ blob: Span<UInt8>) throws(BlobError) {
    guard Blob.sizes.contains(blob.count) else { throw .length }
    guard blob.copy(at: 0, count: 4) == Self.magic else { throw .magic }
    guard blob[4] == Self.suite else { throw .suite }
    guard blob.integer(at: 6, as: UInt16.self) == 0 else { throw .reserved }
    guard let kind = Kind(rawValue: blob[5]) else { throw .kind }
    // Numbers stay below 2^63, the largest that databases hold.
    guard blob[12] & 0x80 == 0 else { throw .revision }
    self.kind = kind
    epoch = blob.integer(at: 8)
    revision = blob.integer(at: 12)
  }
}
