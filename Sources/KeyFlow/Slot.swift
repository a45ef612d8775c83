// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// The ways into a vault, and into an export.
public enum SlotName: Sendable {
  /// By the account's password, through OPAQUE.
  case password
  /// By the recovery code.
  case recovery
  /// By the password on one device; never uploaded.
  case local
  /// By an export's passphrase.
  case export

  var oid: ObjectID {
    switch self {
    case .password: .password
    case .recovery: .recovery
    case .local: .local
    case .export: .export
    }
  }

  /// The Argon2id profiles that the slot may name; 0 where nothing is stretched.
  var profiles: ClosedRange<UInt8> { self == .recovery ? 0...0 : 1...3 }
}

/// The vault key, sealed for one way in, with the head that its maker had verified (SPEC §7).
///
/// Content of the blob, 83 bytes: `u8 1 ‖ u32 epoch ‖ VK 32 ‖ u8 profile ‖ u8 minSuite ‖
/// u32 generation ‖ u64 head seq ‖ head hash 32`.
public struct Slot: ~Copyable, Sendable {
  static let count = 83

  /// The vault key.
  public let key: VaultKey
  /// The Argon2id profile of the password's cost; 0 in the recovery slot.
  public let profile: UInt8
  /// The head known when this was written: a lower bound for a device without memory.
  public let base: HeadPoint

  /// `key`, sealed under `slotKey` as the slot `name`.
  public static func seal(
    _ key: borrowing VaultKey, profile: UInt8, base: HeadPoint, as name: SlotName,
    under slotKey: borrowing SecretBytes, uid: ObjectID
  ) -> [UInt8] {
    precondition(name.profiles.contains(profile), "a slot that its own reader would refuse")
    let content = SecretBytes(count: count, in: .heap) { out in
      out[0] = 1
      out.write(bigEndian(key.epoch), at: 1)
      key.withBytes { out.write($0, at: 5) }
      out.write([profile, BlobHeader.suite], at: 37)
      out.write(bigEndian(base.generation) + bigEndian(base.seq) + base.hash.bytes, at: 39)
    }
    let binding = Binding(
      kind: .slot, epoch: key.epoch, revision: base.seq, uid: uid, oid: name.oid)
    return content.withBytes { content in
      slotKey.withBytes { Blob.seal(content, key: $0, binding: binding) }
    }
  }

  /// Opens the slot `name`.
  ///
  /// - Throws: ``BlobError``; a wrong password or recovery code and altered bytes look alike.
  public static func open(
    _ blob: [UInt8], as name: SlotName, under slotKey: borrowing SecretBytes, uid: ObjectID
  ) throws(BlobError) -> Slot {
    let header = try BlobHeader(blob.span)
    let binding = Binding(
      kind: .slot, epoch: header.epoch, revision: header.revision, uid: uid, oid: name.oid)
    let content = try slotKey.withBytes { (key) throws(BlobError) in
      try Blob.open(blob.span, key: key, binding: binding)
    }
    return try content.withBytes { (content) throws(BlobError) in
      guard content.count == count else { throw .length }
      guard content[0] == 1 else { throw .version }
      guard content.integer(at: 1) == header.epoch else { throw .epoch }
      guard name.profiles.contains(content[37]) else { throw .profile }
      guard content[38] == BlobHeader.suite else { throw .minSuite }
      guard content.integer(at: 43) == header.revision else { throw .revision }
      guard let key = VaultKey(epoch: header.epoch, bytes: content.extracting(5..<37)) else {
        throw .length
      }
      return Slot(
        key: key, profile: content[37],
        base: HeadPoint(
          generation: content.integer(at: 39), seq: content.integer(at: 43),
          hash: content.digest(at: 51)))
    }
  }
}

/// The keys that open slots, each derived for its slot alone (SPEC §4).
public enum SlotKey {
  /// `K_pw`, from OPAQUE's export key (64 bytes).
  public static func password(exportKey: borrowing SecretBytes, uid: ObjectID) -> SecretBytes {
    KDF.derive(salt: uid.bytes, from: exportKey, info: Label.slotPassword, count: 32)
  }

  /// `K_rec`, from the recovery code (20 bytes).
  public static func recovery(_ code: borrowing SecretBytes, uid: ObjectID) -> SecretBytes {
    KDF.derive(salt: uid.bytes, from: code, info: Label.slotRecovery, count: 32)
  }

  /// The seed of the recovery key pair (Ed25519), 32 bytes; the server keeps the public key.
  public static func recoverySeed(_ code: borrowing SecretBytes, uid: ObjectID) -> SecretBytes {
    KDF.derive(salt: uid.bytes, from: code, info: Label.recoveryAuth, count: 32)
  }
}
