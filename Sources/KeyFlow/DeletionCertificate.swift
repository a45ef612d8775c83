// SPDX-License-Identifier: Apache-2.0
import Sodium

/// "The owner asked for deletion of this generation": for the other devices (SPEC §9).
///
/// One blob of kind 6 for each epoch in the keyring, so that a device that missed a rotation can
/// open one. Content, 36 bytes: `u32 generation ‖ u64 last seq ‖ device 16 ‖ u64 time ms`.
public struct DeletionCertificate: Equatable, Sendable {
  /// The generation that ends.
  public let generation: UInt32
  /// The seq of the head that the deleting device had verified.
  public let lastSeq: UInt64
  /// The device that asked.
  public let device: ObjectID
  /// When, by that device's clock, in milliseconds since 1970.
  public let time: UInt64

  /// A certificate of its parts.
  public init(generation: UInt32, lastSeq: UInt64, device: ObjectID, time: UInt64) {
    self.generation = generation
    self.lastSeq = lastSeq
    self.device = device
    self.time = time
  }

  /// One blob for each epoch in `keyring`, epochs rising.
  public func seal(under keyring: borrowing Keyring, uid: ObjectID) -> [(
    epoch: UInt32, blob: [UInt8]
  )] {
    let content = bigEndian(generation) + bigEndian(lastSeq) + device.bytes + bigEndian(time)
    return keyring.sealUnderEach(
      content.span, .deletionCertificate, oid: .deletion, revision: lastSeq, uid: uid)
  }

  /// Opens the one of `blobs` that is of the newest epoch in `keyring`.
  ///
  /// An older epoch's key says nothing any more: it may be what the rotation was for. A device that
  /// missed a rotation finds the blob of its own newest epoch.
  ///
  /// - Throws: ``BlobError``: `epoch` where no blob is of that epoch.
  public init(
    opening blobs: [[UInt8]], with keyring: borrowing Keyring, uid: ObjectID
  ) throws(BlobError) {
    for blob in blobs {
      let header = try BlobHeader(blob.span)
      guard header.epoch == keyring.epoch else { continue }
      let content = try keyring.open(
        blob.span, .deletionCertificate, oid: .deletion, revision: nil, uid: uid)
      self = try content.withBytes { (content) throws(BlobError) in
        guard content.count == 36 else { throw .length }
        guard content.integer(at: 4) == header.revision else { throw .revision }
        return DeletionCertificate(
          generation: content.integer(at: 0), lastSeq: content.integer(at: 4),
          device: content.id(at: 12), time: content.integer(at: 28))
      }
      return
    }
    throw .epoch
  }

  /// Whether a device that pinned `pin` believes this: of its own generation it must reach the pin.
  public func covers(_ pin: HeadPoint) -> Bool {
    generation > pin.generation || (generation == pin.generation && lastSeq >= pin.seq)
  }
}
