// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// Writes an encrypted export container piece by piece, so that no journal need fit in memory.
///
/// `start`, then `append` for each record with rising ids, then `finish`; join what they return.
/// The key is fresh for each export, so that a passphrase never exposes the vault key.
public struct ExportWriter: ~Copyable {
  private let key = VaultKey.make(epoch: ExportContainer.epoch)
  private let uid: ObjectID
  private let base: HeadPoint
  private var root = VaultRoot()
  private var last: ObjectID?
  private var announced: UInt32 = 0

  /// A writer for the account `uid`, whose verified head is `base`.
  public init(uid: ObjectID, base: HeadPoint) {
    self.uid = uid
    self.base = base
  }

  /// The container's beginning, with the number of `records` that will follow.
  ///
  /// `stretched` is what Argon2id made (64 bytes) of the passphrase and `salt` (16 bytes).
  public mutating func start(
    records: UInt32, profile: UInt8, salt: [UInt8], stretched: borrowing SecretBytes
  ) -> [UInt8] {
    announced = records
    let slotKey = ExportContainer.slotKey(stretched, salt, profile)
    let slot = Slot.seal(key, profile: profile, base: base, as: .export, under: slotKey, uid: uid)
    var bytes = ExportContainer.magic + [BlobHeader.suite] + uid.bytes
    bytes += [1, ExportContainer.passphraseSlot, profile] + salt
    bytes += bigEndian(UInt32(slot.count)) + slot
    return bytes + bigEndian(records)
  }

  /// One record, sealed under the container's key.
  public mutating func append(
    _ payload: Span<UInt8>, id: ObjectID, revision: UInt64
  ) -> [UInt8] {
    precondition(last.map { $0 < id } ?? true, "records of a container rise by id")
    last = id
    let blob = key.seal(payload, .exportRecord, oid: id, revision: revision, uid: uid)
    root.set(Row(id: id, revision: revision, hash: Digest(ofBlob: blob.span)))
    return id.bytes + bigEndian(UInt32(blob.count)) + blob
  }

  /// The container's end: the head that vouches for exactly these records.
  public mutating func finish(device: ObjectID, time: UInt64) -> [UInt8] {
    precondition(root.count == Int(announced), "a container holds as many records as announced")
    var head = Head(
      first: base.generation, previous: base.hash, root: root.digest(),
      records: UInt32(root.count), epoch: ExportContainer.epoch, device: device, time: time)
    head.seq = base.seq
    let blob = head.seal(under: Keyring(current: key), uid: uid)
    return bigEndian(UInt32(blob.count)) + blob
  }
}
