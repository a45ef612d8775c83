// SPDX-License-Identifier: Apache-2.0

/// How a server's account of the vault fails a device's memory of it; shown, never repaired silently.
public enum HeadFault: String, Error, Equatable, Sendable {
  /// An older head, or generation, than the one this device pinned.
  case rolledBack
  /// Another history than the one this device pinned, or a head sealed under an ended epoch.
  case forked
  /// Rows, heads or links are missing or do not add up to the head's root.
  case incomplete
  /// A newer generation: the cloud copy was begun anew, which the user is asked about once.
  case generation
}

/// What the server shows as the vault, all of one snapshot; nothing of it is believed yet.
public struct Snapshot: Sendable {
  /// How many times the cloud copy was begun, as announced.
  public var generation: UInt32
  /// The newest head's seq, as announced.
  public var seq: UInt64
  /// Head blobs from the pinned one up to the newest, both included, each named by the next one.
  public var heads: [[UInt8]]

  /// A snapshot of its parts.
  public init(generation: UInt32, seq: UInt64, heads: [[UInt8]]) {
    self.generation = generation
    self.seq = seq
    self.heads = heads
  }

  /// The newest head, when the chain leads to it from `pin` and `root`, the root over the rows as
  /// the server states them, is the one it was sealed with (SPEC §8).
  ///
  /// Nothing moves on a failure; on success the caller moves its pin to the returned point.
  ///
  /// - Throws: ``HeadFault``, the first check that failed.
  public func verify(
    from pin: HeadPoint, root: inout VaultRoot, keyring: borrowing Keyring, uid: ObjectID
  ) throws(HeadFault) -> (head: Head, point: HeadPoint) {
    let (last, point) = try newest(from: pin, keyring: keyring, uid: uid)
    guard Int(last.records) == root.count, root.digest() == last.root else { throw .incomplete }
    return (last, point)
  }

  /// The newest head, when the chain leads to it from `pin`, whatever it says of the rows.
  ///
  /// - Throws: ``HeadFault``, as ``verify(from:root:keyring:uid:)``.
  public func newest(
    from pin: HeadPoint, keyring: borrowing Keyring, uid: ObjectID
  ) throws(HeadFault) -> (head: Head, point: HeadPoint) {
    guard generation >= pin.generation else { throw .rolledBack }
    guard generation == pin.generation else { throw .generation }
    guard seq >= pin.seq else { throw .rolledBack }
    guard let first = heads.first else { throw .incomplete }
    guard Digest(ofBlob: first.span) == pin.hash else { throw .forked }
    let chain = try open(heads, keyring: keyring, uid: uid)
    var last = chain[0]
    var hash = pin.hash
    for (head, blob) in zip(chain, heads).dropFirst() {
      try head.checkLinks(to: last, hash: hash)
      last = head
      hash = Digest(ofBlob: blob.span)
    }
    guard last.generation == generation, last.seq == seq else { throw .incomplete }
    // An ended epoch's key writes nothing any more.
    guard last.epoch == keyring.epoch else { throw .forked }
    return (last, HeadPoint(generation: generation, seq: seq, hash: hash))
  }

  /// What a device takes as its pin that has none in the announced generation: head 1 of it, which
  /// must be the first of ``heads`` and open under a key of ours, that is be a device's of the owner.
  ///
  /// - Throws: `incomplete` where it is not.
  public func beginning(
    keyring: borrowing Keyring, uid: ObjectID
  ) throws(HeadFault) -> HeadPoint {
    guard let blob = heads.first,
      let head = try? Head(opening: blob, with: keyring, uid: uid),
      head.generation == generation, head.seq == 1
    else { throw .incomplete }
    return HeadPoint(generation: generation, seq: 1, hash: Digest(ofBlob: blob.span))
  }

  /// All heads, as many as there are blobs.
  private func open(
    _ blobs: [[UInt8]], keyring: borrowing Keyring, uid: ObjectID
  ) throws(HeadFault) -> [Head] {
    var opened: [Head] = []
    for blob in blobs {
      do {
        opened.append(try Head(opening: blob, with: keyring, uid: uid))
      } catch {
        throw .incomplete
      }
    }
    return opened
  }
}
