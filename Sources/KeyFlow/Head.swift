// SPDX-License-Identifier: Apache-2.0
import Sodium

/// A place in the chain of heads: what a device pins and a slot remembers.
public struct HeadPoint: Equatable, Sendable {
  /// How many times the cloud copy was begun.
  public let generation: UInt32
  /// The commit's number within the generation, from 1.
  public let seq: UInt64
  /// `blobHash` of the head.
  public let hash: Digest

  /// A point of its parts.
  public init(generation: UInt32, seq: UInt64, hash: Digest) {
    self.generation = generation
    self.seq = seq
    self.hash = hash
  }
}

/// The client's statement of the whole vault after one commit (SPEC §8); 492 bytes inside its seal.
public struct Head: Equatable, Sendable {
  /// How many skip links a head has: `k = 1…12`, each to the newest earlier multiple of `4^k`.
  public static let skipCount = 12
  static let count = 492

  /// How many times the cloud copy was begun.
  public var generation: UInt32
  /// The commit's number within the generation, from 1.
  public var seq: UInt64
  /// `blobHash` of the head before, zero for the first.
  public var previous: Digest
  /// The root over all rows.
  public var root: Digest
  /// How many rows there are.
  public var records: UInt32
  /// The epoch it is sealed under.
  public var epoch: UInt32
  /// The device that committed.
  public var device: ObjectID
  /// When, by that device's clock, in milliseconds since 1970.
  public var time: UInt64
  /// `skips[k - 1]`: `blobHash` of the newest earlier head whose seq is a multiple of `4^k`.
  public var skips: [Digest]

  /// The first head of a generation; `previous` is not zero after a new beginning.
  public init(
    first generation: UInt32, previous: Digest = .zero, root: Digest, records: UInt32,
    epoch: UInt32, device: ObjectID, time: UInt64
  ) {
    self.generation = generation
    seq = 1
    self.previous = previous
    self.root = root
    self.records = records
    self.epoch = epoch
    self.device = device
    self.time = time
    skips = [Digest](repeating: .zero, count: Self.skipCount)
  }

  /// The head that follows this one, whose blob hashes to `hash`.
  public func next(
    after hash: Digest, root: Digest, records: UInt32, epoch: UInt32, device: ObjectID,
    time: UInt64
  ) -> Head {
    var next = self
    next.seq = seq + 1
    next.previous = hash
    next.root = root
    next.records = records
    next.epoch = epoch
    next.device = device
    next.time = time
    for k in 1...Self.skipCount where seq.isMultiple(of: Self.stride(k)) {
      next.skips[k - 1] = hash
    }
    return next
  }

  /// `4^k`.
  static func stride(_ k: Int) -> UInt64 { 1 << (2 * UInt64(k)) }

  /// Checks that this head names `older`, the head of its generation that hashes to `hash`, by
  /// `previous` or a skip link, and by no link anything else in its place.
  ///
  /// - Throws: ``HeadFault``: `incomplete` where no link leads there, `forked` where one names
  ///   another head.
  func checkLinks(to older: Head, hash: Digest) throws(HeadFault) {
    guard older.generation == generation else { throw .forked }
    guard older.seq > 0, older.seq < seq else { throw .incomplete }
    var names = older.seq == seq - 1 ? [previous] : []
    for k in 1...Self.skipCount
    where (seq - 1) / Self.stride(k) * Self.stride(k) == older.seq {
      names.append(skips[k - 1])
    }
    guard !names.isEmpty else { throw .incomplete }
    guard names.allSatisfy({ $0 == hash }), older.epoch <= epoch else { throw .forked }
  }

  /// This head, sealed under the current key of `keyring`, which must be its epoch's.
  public func seal(under keyring: borrowing Keyring, uid: ObjectID) -> [UInt8] {
    precondition(keyring.epoch == epoch && skips.count == Self.skipCount)
    var content = bigEndian(generation) + bigEndian(seq) + previous.bytes + root.bytes
    content += bigEndian(records) + bigEndian(epoch) + device.bytes + bigEndian(time)
    content += skips.flatMap(\.bytes)
    return keyring.seal(content.span, .head, oid: .head, revision: seq, uid: uid)
  }

  /// Opens a head's blob.
  ///
  /// - Throws: ``BlobError``; `revision` or `epoch` where inside and outside differ.
  public init(
    opening blob: [UInt8], with keyring: borrowing Keyring, uid: ObjectID
  ) throws(BlobError) {
    let header = try BlobHeader(blob.span)
    let content = try keyring.open(blob.span, .head, oid: .head, revision: nil, uid: uid)
    self = try content.withBytes { (content) throws(BlobError) in
      guard content.count == Self.count else { throw .length }
      var head = Head(
        first: content.integer(at: 0), previous: content.digest(at: 12),
        root: content.digest(at: 44), records: content.integer(at: 76),
        epoch: content.integer(at: 80), device: content.id(at: 84), time: content.integer(at: 100))
      head.seq = content.integer(at: 4)
      head.skips = (0..<Self.skipCount).map { content.digest(at: 108 + $0 * Digest.count) }
      guard head.seq == header.revision else { throw .revision }
      guard head.epoch == header.epoch else { throw .epoch }
      return head
    }
  }
}
