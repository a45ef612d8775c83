// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// One device's own slot, in a file that never leaves it (SPEC §7).
///
/// `"KFL1" ‖ suite ‖ profile ‖ uid 16 ‖ device 16 ‖ salt 16 ‖ blob(kind 2, oid local)`, 666 bytes.
/// Its key comes from the password by Argon2id alone, so that it opens without a server.
public struct LocalFile: Equatable, Sendable {
  /// Bytes in the file.
  public static let count = 54 + 612

  /// The Argon2id profile; one of the compiled-in table, checked before anything is stretched.
  public let profile: UInt8
  /// The account.
  public let uid: ObjectID
  /// This device.
  public let device: ObjectID
  /// Argon2id's salt, 16 bytes, random for each file.
  public let salt: [UInt8]
  private let slot: [UInt8]

  /// Reads a local file; everything cheap is checked here, before Argon2id runs.
  ///
  /// - Throws: ``BlobError`` naming the first field that is not as it must be.
  public init(_ bytes: [UInt8]) throws(BlobError) {
    let span = bytes.span
    guard span.count == Self.count else { throw .length }
    guard span.copy(at: 0, count: 4) == Array("KFL1".utf8) else { throw .magic }
    guard span[4] == BlobHeader.suite else { throw .suite }
    guard SlotName.local.profiles.contains(span[5]) else { throw .profile }
    profile = span[5]
    uid = span.id(at: 6)
    device = span.id(at: 22)
    salt = span.copy(at: 38, count: 16)
    slot = span.copy(at: 54, count: 612)
    guard try BlobHeader(slot.span).kind == .slot else { throw .kind }
  }

  /// `key`, sealed for this device under what Argon2id made (64 bytes) of the password and `salt`.
  public init(
    sealing key: borrowing VaultKey, profile: UInt8, base: HeadPoint, uid: ObjectID,
    device: ObjectID, salt: [UInt8], stretched: borrowing SecretBytes
  ) {
    self.profile = profile
    self.uid = uid
    self.device = device
    self.salt = salt
    let slotKey = Self.slotKey(stretched, salt, profile, uid, device)
    slot = Slot.seal(key, profile: profile, base: base, as: .local, under: slotKey, uid: uid)
  }

  /// The file's bytes.
  public var bytes: [UInt8] {
    Array("KFL1".utf8) + [BlobHeader.suite, profile] + uid.bytes + device.bytes + salt + slot
  }

  /// Opens the slot with what Argon2id made (64 bytes) of the password and ``salt``.
  ///
  /// - Throws: ``BlobError``; a wrong password and altered bytes look alike.
  public func open(stretched: borrowing SecretBytes) throws(BlobError) -> Slot {
    let slotKey = Self.slotKey(stretched, salt, profile, uid, device)
    let opened = try Slot.open(slot, as: .local, under: slotKey, uid: uid)
    guard opened.profile == profile else { throw .profile }
    return opened
  }

  private static func slotKey(
    _ stretched: borrowing SecretBytes, _ salt: [UInt8], _ profile: UInt8, _ uid: ObjectID,
    _ device: ObjectID
  ) -> SecretBytes {
    precondition(salt.count == 16 && stretched.count == 64)
    let info = Label.slotLocal([profile] + uid.bytes + device.bytes)
    return KDF.derive(salt: salt, from: stretched, info: info, count: 32)
  }
}
