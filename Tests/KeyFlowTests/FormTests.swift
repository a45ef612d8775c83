// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import TestSupport
import Testing

@testable import KeyFlow

/// Runs `body`; a case with an error must throw it, one without must not throw.
func expect(_ fault: String?, _ body: () throws(BlobError) -> Void) {
  do {
    try body()
    #expect(fault == nil, "opened what must be refused")
  } catch {
    #expect(error.rawValue == fault)
  }
}

extension Hex {
  /// The id of 16 bytes.
  func id() throws -> ObjectID { try #require(ObjectID(bytes)) }
  /// The digest of 32 bytes.
  func digest() throws -> Digest { try #require(Digest(bytes)) }
}

/// A vector's vault key.
func vaultKey(_ epoch: UInt32, _ key: Hex) throws -> VaultKey {
  guard let key = VaultKey(epoch: epoch, bytes: key.bytes.span) else { throw BadVector() }
  return key
}

/// What Argon2id makes, 64 bytes, of an input under a profile of KF1's table.
func stretch(_ input: [UInt8], _ profile: UInt8, _ salt: [UInt8]) throws -> SecretBytes {
  let profile = try #require(Profile.table.first { $0.id == profile })
  return try profile.derive(from: SecretBytes(input), salt: salt)
}

/// A keyring of one key.
func keyring(_ epoch: UInt32, _ key: Hex) throws -> Keyring {
  Keyring(current: try vaultKey(epoch, key))
}

/// A vector file that is not what it must be.
struct BadVector: Error {}

@Suite struct FormVectors {
  struct SlotCase: Decodable, Sendable {
    let name: String
    let way: String
    let uid: Hex
    let ikm: Hex?
    let slotKey: Hex
    let epoch: UInt32?
    let vaultKey: Hex?
    let profile: UInt8?
    let generation: UInt32?
    let seq: UInt64?
    let headHash: Hex?
    let blob: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<SlotCase>.load("slots"))
  func `a slot opens with its key, or is refused for its fault`(_ vector: SlotCase) throws {
    let uid = try vector.uid.id()
    let isPassword = vector.way == "password"
    let name = isPassword ? SlotName.password : .recovery
    let slotKey = SecretBytes(vector.slotKey.bytes)
    if let ikm = vector.ikm {
      let secret = SecretBytes(ikm.bytes)
      let derived =
        isPassword
        ? SlotKey.password(exportKey: secret, uid: uid) : SlotKey.recovery(secret, uid: uid)
      let same = derived.array() == vector.slotKey.bytes
      #expect(same)
    }
    expect(vector.error) { () throws(BlobError) in
      let slot = try Slot.open(vector.blob.bytes, as: name, under: slotKey, uid: uid)
      let key = slot.key.withBytes { span in span.indices.map { span[$0] } }
      #expect(key == vector.vaultKey?.bytes)
      #expect(slot.key.epoch == vector.epoch)
      #expect(slot.profile == vector.profile)
      #expect(slot.base.generation == vector.generation)
      #expect(slot.base.seq == vector.seq)
      #expect(slot.base.hash.bytes == vector.headHash?.bytes)
      // What this device seals of it opens again, as the same and under no other name.
      let again = Slot.seal(
        slot.key, profile: slot.profile, base: slot.base, as: name, under: slotKey, uid: uid)
      let reopened = try Slot.open(again, as: name, under: slotKey, uid: uid)
      let keyAgain = reopened.key.withBytes { span in span.indices.map { span[$0] } }
      #expect(keyAgain == key)
      #expect(reopened.profile == slot.profile)
      #expect(reopened.base == slot.base)
      #expect(throws: BlobError.self) {
        _ = try Slot.open(again, as: .export, under: slotKey, uid: uid).profile
      }
    }
  }

  struct LocalFileCase: Decodable, Sendable {
    let name: String
    let passwordInput: Hex
    let uid: Hex?
    let device: Hex?
    let epoch: UInt32?
    let vaultKey: Hex?
    let generation: UInt32?
    let seq: UInt64?
    let headHash: Hex?
    let file: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<LocalFileCase>.load("local-file"))
  func `a local file opens with its password, or is refused for its fault`(
    _ vector: LocalFileCase
  ) throws {
    let file: LocalFile
    do {
      file = try LocalFile(vector.file.bytes)
    } catch {
      #expect(error.rawValue == vector.error)
      return
    }
    let stretched = try stretch(vector.passwordInput.bytes, file.profile, file.salt)
    expect(vector.error) { () throws(BlobError) in
      let slot = try file.open(stretched: stretched)
      let key = slot.key.withBytes { span in span.indices.map { span[$0] } }
      #expect(key == vector.vaultKey?.bytes)
      #expect(file.bytes == vector.file.bytes)
      #expect(file.uid.bytes == vector.uid?.bytes)
      #expect(file.device.bytes == vector.device?.bytes)
      #expect(slot.key.epoch == vector.epoch)
      #expect(slot.base.generation == vector.generation)
      #expect(slot.base.seq == vector.seq)
      #expect(slot.base.hash.bytes == vector.headHash?.bytes)
      let sealed = LocalFile(
        sealing: slot.key, profile: file.profile, base: slot.base, uid: file.uid,
        device: file.device, salt: file.salt, stretched: stretched)
      let again = try LocalFile(sealed.bytes).open(stretched: stretched)
      let keyAgain = again.key.withBytes { span in span.indices.map { span[$0] } }
      #expect(keyAgain == key)
      #expect(again.base == slot.base)
    }
  }

  struct KeyringCase: Decodable, Sendable {
    struct Entry: Decodable, Sendable {
      let epoch: UInt32
      let vaultKey: Hex
    }
    let name: String
    let uid: Hex
    let epoch: UInt32
    let vaultKey: Hex
    let keys: [Entry]?
    let blob: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<KeyringCase>.load("keyring"))
  func `a keyring opens under the newest key, or is refused for its fault`(
    _ vector: KeyringCase
  ) throws {
    let uid = try vector.uid.id()
    let current = try vaultKey(vector.epoch, vector.vaultKey)
    expect(vector.error) { () throws(BlobError) in
      let ring = try Keyring.open(vector.blob.bytes, current: current, uid: uid)
      let epochs = ring.epochs
      #expect(epochs == (vector.keys ?? []).map(\.epoch) + [vector.epoch])
      for entry in vector.keys ?? [] {
        let key = try ring.withKey(of: entry.epoch) { span in span.indices.map { span[$0] } }
        #expect(key == entry.vaultKey.bytes)
      }
      // What this device seals of them opens again as the same.
      let again = try Keyring.open(ring.sealOlder(seq: 5, uid: uid), current: current, uid: uid)
      let epochsAgain = again.epochs
      #expect(epochsAgain == epochs)
    }
  }

  struct HeadCase: Decodable, Sendable {
    let name: String
    let uid: Hex
    let generation: UInt32?
    let seq: UInt64?
    let prev: Hex?
    let root: Hex?
    let count: UInt32?
    let epoch: UInt32
    let device: Hex?
    let time: UInt64?
    let skips: [Hex]?
    let vaultKey: Hex
    let blob: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<HeadCase>.load("head"))
  func `a head opens to its fields, or is refused for its fault`(_ vector: HeadCase) throws {
    let uid = try vector.uid.id()
    let ring = try keyring(vector.epoch, vector.vaultKey)
    expect(vector.error) { () throws(BlobError) in
      let head = try Head(opening: vector.blob.bytes, with: ring, uid: uid)
      #expect(head.generation == vector.generation)
      #expect(head.seq == vector.seq)
      #expect(head.previous.bytes == vector.prev?.bytes)
      #expect(head.root.bytes == vector.root?.bytes)
      #expect(head.records == vector.count)
      #expect(head.device.bytes == vector.device?.bytes)
      #expect(head.time == vector.time)
      #expect(head.skips.map(\.bytes) == vector.skips?.map(\.bytes))
      let again = try Head(opening: head.seal(under: ring, uid: uid), with: ring, uid: uid)
      #expect(again == head)
    }
  }

  struct LabelCase: Decodable, Sendable {
    let name: String
    let uid: Hex
    let device: Hex
    let epoch: UInt32
    let vaultKey: Hex
    let deviceName: Hex?
    let lastSyncedAt: UInt64?
    let lastPulledAt: UInt64?
    let generation: UInt32?
    let seq: UInt64?
    let headHash: Hex?
    let blob: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<LabelCase>.load("device-label"))
  func `a device label opens, or is refused for its fault`(_ vector: LabelCase) throws {
    let uid = try vector.uid.id()
    let device = try vector.device.id()
    let ring = try keyring(vector.epoch, vector.vaultKey)
    expect(vector.error) { () throws(BlobError) in
      let label = try DeviceLabel(opening: vector.blob.bytes, device: device, with: ring, uid: uid)
      #expect(Array(label.name.utf8) == vector.deviceName?.bytes)
      #expect(label.lastSynced == vector.lastSyncedAt)
      #expect(label.lastPulled == vector.lastPulledAt)
      #expect(label.pin.generation == vector.generation)
      #expect(label.pin.seq == vector.seq)
      #expect(label.pin.hash.bytes == vector.headHash?.bytes)
      let sealed = label.seal(under: ring, device: device, uid: uid)
      let again = try DeviceLabel(opening: sealed, device: device, with: ring, uid: uid)
      #expect(again == label)
    }
  }

  struct DeletionCase: Decodable, Sendable {
    struct EpochKey: Decodable, Sendable {
      let epoch: UInt32
      let vaultKey: Hex
    }
    let name: String
    let uid: Hex
    let epoch: UInt32
    let vaultKey: Hex
    let older: [EpochKey]?
    let pinGeneration: UInt32
    let pinSeq: UInt64
    let certificate: [Hex]
    let certificateHash: Hex?
    let generation: UInt32?
    let lastSeq: UInt64?
    let device: Hex?
    let time: UInt64?
    let error: String?
  }

  @Test(arguments: try Vectors<DeletionCase>.load("deletion"))
  func `a deletion certificate is believed, or refused for its fault`(
    _ vector: DeletionCase
  ) throws {
    let uid = try vector.uid.id()
    let newest = try vaultKey(vector.epoch, vector.vaultKey)
    var ring = Keyring(current: newest)
    if let older = vector.older?.first {
      ring = try keyring(older.epoch, older.vaultKey).adding(newest)
    }
    let blobs = vector.certificate.map(\.bytes)
    if let hash = vector.certificateHash {
      let hashed = try DeletionReceipt.certificateHash(of: blobs)
      #expect(hashed == hash.bytes)
    }
    let pin = HeadPoint(generation: vector.pinGeneration, seq: vector.pinSeq, hash: .zero)
    if vector.error == HeadFault.rolledBack.rawValue {
      let certificate = try DeletionCertificate(opening: blobs, with: ring, uid: uid)
      #expect(!certificate.covers(pin))
      return
    }
    expect(vector.error) { () throws(BlobError) in
      let certificate = try DeletionCertificate(opening: blobs, with: ring, uid: uid)
      #expect(certificate.covers(pin))
      #expect(certificate.generation == vector.generation)
      #expect(certificate.lastSeq == vector.lastSeq)
      #expect(certificate.device.bytes == vector.device?.bytes)
      #expect(certificate.time == vector.time)
      let sealed = certificate.seal(under: ring, uid: uid)
      #expect(sealed.map(\.epoch) == [vector.epoch])
      let again = try DeletionCertificate(opening: sealed.map(\.blob), with: ring, uid: uid)
      #expect(again == certificate)
    }
  }

  struct ContentHashCase: Decodable, Sendable {
    let recordKind: UInt8
    let content: Hex
    let output: Hex
  }

  @Test(arguments: try Vectors<ContentHashCase>.load("content-hash"))
  func `a content hash covers kind and bytes`(_ vector: ContentHashCase) {
    let hash = contentHash(recordKind: vector.recordKind, content: vector.content.bytes)
    #expect(hash.bytes == vector.output.bytes)
  }

  struct KitCase: Decodable, Sendable {
    let name: String
    let code: Hex?
    let typed: String?
    let text: String?
    let error: String?
  }

  @Test(arguments: try Vectors<KitCase>.load("recovery-kit"))
  func `a recovery kit is read as it was typed, or refused for its fault`(_ vector: KitCase) throws
  {
    if let code = vector.code, let text = vector.text {
      let shown = RecoveryCode.text(of: SecretBytes(code.bytes)).array()
      #expect(String(decoding: shown, as: UTF8.self) == text)
    }
    guard let typed = vector.typed ?? vector.text else { return }
    do {
      let code = try RecoveryCode.parse(Array(typed.utf8).span).array()
      #expect(vector.error == nil)
      #expect(code == vector.code?.bytes)
    } catch {
      #expect(error.rawValue == vector.error)
    }
  }

  struct FingerprintCase: Decodable, Sendable {
    let uid: Hex
    let generation: UInt32
    let seq: UInt64
    let headHash: Hex
    let fingerprint: String
  }

  @Test(arguments: try Vectors<FingerprintCase>.load("fingerprint"))
  func `a fingerprint names a head for people`(_ vector: FingerprintCase) throws {
    let point = HeadPoint(
      generation: vector.generation, seq: vector.seq, hash: try vector.headHash.digest())
    #expect(fingerprint(of: point, uid: try vector.uid.id()) == vector.fingerprint)
  }
}
