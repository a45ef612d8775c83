// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

@testable import KeyFlow

/// A whole rotation, as another implementation wrote it down.
@Suite struct RotationVectors {
  struct Case: Decodable, Sendable {
    let uid, exportKey, recoveryCode, oldKey, newKey: Hex
    let registrationRecord, passwordSlot, recoverySlot, recoveryPublicKey, keyring: Hex
    let requestHash, recordId, plaintext: Hex
    let records, heads: [Hex]
    let fingerprint: String
  }

  let vector: Case
  let uid: ObjectID

  init() throws {
    vector = try #require(try Vectors<Case>.load("rotation").first)
    uid = try vector.uid.id()
  }

  private func openSlot() throws -> Slot {
    try Slot.open(
      vector.passwordSlot.bytes, as: .password,
      under: SlotKey.password(exportKey: SecretBytes(vector.exportKey.bytes), uid: uid), uid: uid)
  }

  private func row(_ index: Int) throws -> Row {
    let blob = vector.records[index].bytes
    return Row(
      id: try vector.recordId.id(), revision: UInt64(index + 1),
      hash: Digest(ofBlob: blob.span))
  }

  @Test func `both new slots give the new key over the head that was pinned`() throws {
    let slot = try openSlot()
    let recovery = try Slot.open(
      vector.recoverySlot.bytes, as: .recovery,
      under: SlotKey.recovery(SecretBytes(vector.recoveryCode.bytes), uid: uid), uid: uid)
    let key = slot.key.withBytes { span in span.indices.map { span[$0] } }
    let recovered = recovery.key.withBytes { span in span.indices.map { span[$0] } }
    #expect(key == vector.newKey.bytes)
    #expect(recovered == vector.newKey.bytes)
    let pinned = vector.heads[0].bytes
    let hash = Digest(ofBlob: pinned.span)
    let (base, recoveredBase) = (slot.base, recovery.base)
    #expect(base == recoveredBase)
    #expect(base == HeadPoint(generation: 1, seq: 2, hash: hash))
  }

  @Test func `the request hash is over what goes up together`() throws {
    let hash = RecoveryProof.requestHash(
      record: vector.registrationRecord.bytes, passwordSlot: vector.passwordSlot.bytes,
      recoverySlot: vector.recoverySlot.bytes, recoveryKey: vector.recoveryPublicKey.bytes,
      keyring: vector.keyring.bytes,
      head: vector.heads[1].bytes)
    #expect(hash == vector.requestHash.bytes)
  }

  @Test func `the new keyring opens the old record and the one that was sealed anew`() throws {
    let slot = try openSlot()
    let ring = try Keyring.open(vector.keyring.bytes, current: slot.key, uid: uid)
    for (index, record) in vector.records.enumerated() {
      let blob = record.bytes
      let opened = try ring.open(
        blob.span, .record, oid: try vector.recordId.id(), revision: UInt64(index + 1),
        uid: uid
      ).array()
      #expect(opened == vector.plaintext.bytes)
    }
  }

  @Test func `the path leads from the pin over the rotation to the record sealed anew`() throws {
    let slot = try openSlot()
    let ring = try Keyring.open(vector.keyring.bytes, current: slot.key, uid: uid)
    var root = try #require(VaultRoot([row(0)]))
    var snapshot = Snapshot(generation: 1, seq: 3, heads: vector.heads.prefix(2).map(\.bytes))
    let first = try snapshot.verify(from: slot.base, root: &root, keyring: ring, uid: uid).point
    root.set(try row(1))
    snapshot = Snapshot(generation: 1, seq: 4, heads: vector.heads.dropFirst().map(\.bytes))
    let point = try snapshot.verify(from: first, root: &root, keyring: ring, uid: uid).point
    #expect(fingerprint(of: point, uid: uid) == vector.fingerprint)
  }

  @Test func `a device that holds only the old key sees a head that it cannot open`() throws {
    let ring = try keyring(1, vector.oldKey)
    var root = try #require(VaultRoot([row(0)]))
    let snapshot = Snapshot(generation: 1, seq: 3, heads: vector.heads.prefix(2).map(\.bytes))
    let base = try openSlot().base
    #expect(throws: HeadFault.incomplete) {
      _ = try snapshot.verify(from: base, root: &root, keyring: ring, uid: uid).point
    }
  }
}
