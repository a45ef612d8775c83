// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import TestSupport
import Testing

@testable import KeyFlow

/// One account from its password to its first record, as another implementation wrote it down.
@Suite struct Scenario {
  struct Case: Decodable, Sendable {
    let name: String
    let uid: Hex
    let device: Hex
    let exportKey: Hex
    let sessionKey: Hex
    let recoveryCode: Hex
    let text: String
    let recoveryPublicKey: Hex
    let vaultKey: Hex
    let epoch: UInt32
    let generation: UInt32
    let passwordSlot: Hex
    let recoverySlot: Hex
    let keyring: Hex
    let keyringHash: Hex
    let firstHead: Hex
    let sessionId: UInt64
    let token: Hex
    let recordId: Hex
    let revision: UInt64
    let plaintext: Hex
    let record: Hex
    let secondHead: Hex
    let fingerprint: String
  }

  @Test(arguments: try Vectors<Case>.load("scenario"))
  func `from the export key to the first record`(_ vector: Case) throws {
    let uid = try vector.uid.id()
    let exportKey = SecretBytes(vector.exportKey.bytes)
    let slot = try Slot.open(
      vector.passwordSlot.bytes, as: .password,
      under: SlotKey.password(exportKey: exportKey, uid: uid), uid: uid)
    let key = slot.key.withBytes { span in span.indices.map { span[$0] } }
    #expect(key == vector.vaultKey.bytes)

    let code = try RecoveryCode.parse(Array(vector.text.utf8).span)
    let codeBytes = code.array()
    #expect(codeBytes == vector.recoveryCode.bytes)
    let recovered = try Slot.open(
      vector.recoverySlot.bytes, as: .recovery,
      under: SlotKey.recovery(code, uid: uid), uid: uid)
    let recoveredKey = recovered.key.withBytes { span in span.indices.map { span[$0] } }
    #expect(recoveredKey == vector.vaultKey.bytes)

    let ring = try Keyring.open(vector.keyring.bytes, current: slot.key, uid: uid)
    #expect(Digest(ofBlob: vector.keyring.bytes.span).bytes == vector.keyringHash.bytes)

    let record = try ring.open(
      vector.record.bytes.span, .record, oid: try vector.recordId.id(), revision: vector.revision,
      uid: uid
    ).array()
    #expect(record == vector.plaintext.bytes)

    let row = Row(
      id: try vector.recordId.id(), revision: vector.revision,
      hash: Digest(ofBlob: vector.record.bytes.span))
    var root = VaultRoot()
    root.set(row)
    let snapshot = Snapshot(
      generation: vector.generation, seq: 2,
      heads: [vector.firstHead.bytes, vector.secondHead.bytes])
    let verified = try snapshot.verify(from: slot.base, root: &root, keyring: ring, uid: uid)
    #expect(verified.head.device == (try vector.device.id()))
    #expect(fingerprint(of: verified.point, uid: uid) == vector.fingerprint)
  }

  struct RecoveryKeyCase: Decodable, Sendable {
    let uid: Hex
    let code: Hex
    let seed: Hex
    let publicKey: Hex
  }

  @Test(arguments: try Vectors<RecoveryKeyCase>.load("recovery-key"))
  func `a recovery code gives its signing key`(_ vector: RecoveryKeyCase) throws {
    let seed = SlotKey.recoverySeed(SecretBytes(vector.code.bytes), uid: try vector.uid.id())
    let seedBytes = seed.array()
    #expect(seedBytes == vector.seed.bytes)
    #expect(Ed25519.SigningKey(seed: seed).publicKey == vector.publicKey.bytes)
  }

  struct DerivationCase: Decodable, Sendable {
    let label: String
    let context: Hex
    let salt: Hex
    let ikm: Hex
    let length: Int
    let info: Hex
    let output: Hex
  }

  @Test(arguments: try Vectors<DerivationCase>.load("kdf"))
  func `every label derives as written`(_ vector: DerivationCase) throws {
    let context = vector.context.bytes
    let infos: [String: Info] = [
      "seal": Label.seal(context), "slot-password": Label.slotPassword,
      "slot-recovery": Label.slotRecovery, "recovery-auth": Label.recoveryAuth,
      "slot-local": Label.slotLocal(context), "slot-export": Label.slotExport(context),
      "session-token": Info("session-token", context: context), "key-id": Label.keyID(context),
    ]
    let info = try #require(infos[vector.label])
    #expect(info.bytes == vector.info.bytes)
    let output = KDF.derive(
      salt: vector.salt.bytes, from: SecretBytes(vector.ikm.bytes), info: info,
      count: vector.length
    ).array()
    #expect(output == vector.output.bytes)
    guard vector.label == "key-id" else { return }
    // Its salt is a vault's id, its context an epoch.
    let uid = try #require(ObjectID(Array(vector.salt.bytes.prefix(16))))
    let epoch = context.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let id = try vaultKey(epoch, vector.ikm).id(in: uid)
    let derived = KDF.derive(
      salt: uid.bytes, from: SecretBytes(vector.ikm.bytes), info: info, count: 16
    ).array()
    #expect(id.bytes == derived)
  }

  struct ItemCase: Decodable, Sendable {
    let uid: Hex
    let item: Hex
    let epoch: UInt32
    let vaultKey: Hex
    let plaintext: Hex?
    let blob: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<ItemCase>.load("local-item"))
  func `a local item opens, or is refused for its fault`(_ vector: ItemCase) throws {
    let ring = try keyring(vector.epoch, vector.vaultKey)
    let uid = try vector.uid.id()
    let item = try vector.item.id()
    expect(vector.error) { () throws(BlobError) in
      let opened = try ring.open(
        vector.blob.bytes.span, .localItem, oid: item, revision: 0, uid: uid)
      let bytes = opened.array()
      #expect(bytes == vector.plaintext?.bytes)
    }
  }
}
