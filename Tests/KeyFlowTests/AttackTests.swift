// SPDX-License-Identifier: Apache-2.0
import CSodium
import Sodium
import Testing

@testable import KeyFlow

/// Attacks on the sealed forms that no vector can show, each by its row in SECURITY.md.
@Suite struct AttackTests {
  private let uid = ObjectID.make()

  private func head(_ epoch: UInt32, _ generation: UInt32 = 1) -> Head {
    var root = VaultRoot()
    return Head(
      first: generation, root: root.digest(), records: 0, epoch: epoch, device: uid, time: 0)
  }

  @Test func `A7: the key from before a rotation opens nothing made after it`() throws {
    let stolen = Keyring(current: VaultKey.make(epoch: 1))
    let rotated = try stolen.adding(VaultKey.make(epoch: 2))
    let id = ObjectID.make()
    let text = Array("after the rotation".utf8)
    for (kind, oid) in [
      (Kind.record, id), (.head, .head), (.keyring, .keyring), (.deviceLabel, id), (.localItem, id),
    ] {
      let blob = rotated.seal(text.span, kind, oid: oid, revision: 7, uid: uid)
      #expect(throws: BlobError.epoch) {
        _ = try stolen.open(blob.span, kind, oid: oid, revision: 7, uid: uid).count
      }
      // Under the old number the old key does not open it either.
      var renamed = blob
      renamed.replaceSubrange(8..<12, with: bigEndian(UInt32(1)))
      #expect(throws: BlobError.commitment) {
        _ = try stolen.open(renamed.span, kind, oid: oid, revision: 7, uid: uid).count
      }
    }
  }

  @Test func `A7: the key from before a rotation writes no head that counts`() throws {
    let stolen = Keyring(current: VaultKey.make(epoch: 1))
    let rotated = try stolen.adding(VaultKey.make(epoch: 2))
    var root = VaultRoot()
    let first = head(2).seal(under: rotated, uid: uid)
    let pin = HeadPoint(generation: 1, seq: 1, hash: Digest(ofBlob: first.span))
    func next(_ epoch: UInt32) -> Head {
      head(2).next(
        after: pin.hash, root: root.digest(), records: 0, epoch: epoch, device: uid, time: 1)
    }
    let forged = next(1).seal(under: stolen, uid: uid)
    #expect(throws: HeadFault.forked) {
      _ = try Snapshot(generation: 1, seq: 2, heads: [first, forged])
        .verify(from: pin, root: &root, keyring: rotated, uid: uid).point
    }
    let honest = next(2).seal(under: rotated, uid: uid)
    let seq = try Snapshot(generation: 1, seq: 2, heads: [first, honest])
      .verify(from: pin, root: &root, keyring: rotated, uid: uid).point.seq
    #expect(seq == 2)
  }

  @Test func `A7: who knows the new key takes no head under the old one`() throws {
    let stolen = Keyring(current: VaultKey.make(epoch: 1))
    let rotated = try stolen.adding(VaultKey.make(epoch: 2))
    var root = VaultRoot()
    let first = head(1).seal(under: stolen, uid: uid)
    let pin = HeadPoint(generation: 1, seq: 1, hash: Digest(ofBlob: first.span))
    let next = head(1).next(
      after: pin.hash, root: root.digest(), records: 0, epoch: 1, device: uid, time: 1
    ).seal(under: stolen, uid: uid)
    let snapshot = Snapshot(generation: 1, seq: 2, heads: [first, next])
    let seq = try snapshot.verify(from: pin, root: &root, keyring: stolen, uid: uid).point.seq
    #expect(seq == 2)
    #expect(throws: HeadFault.forked) {
      _ = try snapshot.verify(from: pin, root: &root, keyring: rotated, uid: uid).point
    }
  }

  @Test func `A7: the key from before a rotation makes no deletion that is believed`() throws {
    let stolen = Keyring(current: VaultKey.make(epoch: 1))
    let rotated = try stolen.adding(VaultKey.make(epoch: 2))
    let certificate = DeletionCertificate(generation: 1, lastSeq: 9, device: uid, time: 1)
    let forged = certificate.seal(under: stolen, uid: uid).map(\.blob)
    #expect(throws: BlobError.epoch) {
      _ = try DeletionCertificate(opening: forged, with: rotated, uid: uid)
    }
  }

  @Test func `A11: a cost outside the table is refused before anything is stretched`() {
    let stretched = SecretBytes.random(count: 64)
    let salt = randomBytes(16)
    let base = HeadPoint(generation: 1, seq: 1, hash: .zero)
    let file = LocalFile(
      sealing: VaultKey.make(epoch: 1), profile: 2, base: base, uid: uid, device: uid, salt: salt,
      stretched: stretched
    ).bytes
    var writer = ExportWriter(uid: uid, base: base)
    let export =
      writer.start(records: 0, profile: 2, salt: salt, stretched: stretched)
      + writer.finish(device: uid, time: 7)
    for profile in UInt8.min...UInt8.max where !(1...3).contains(profile) {
      var other = file
      other[5] = profile
      #expect(throws: BlobError.profile) { _ = try LocalFile(other) }
      other = export
      other[23] = profile
      #expect(throws: BlobError.profile) { _ = try ExportContainer(other) }
    }
  }

  @Test func `B5: a text that could be packed is as long sealed as one that could not`() {
    let key = VaultKey.make(epoch: 1)
    for count in [600, 20_000] {
      let lengths = [[UInt8](repeating: 0x61, count: count), randomBytes(count)].map {
        key.seal($0.span, .record, oid: uid, revision: 1, uid: uid).count
      }
      #expect(lengths[0] == lengths[1] && lengths[0] > count)
    }
  }

  @Test func `B8: a generator that repeats itself seals nothing`() async {
    await #expect(processExitsWith: .failure) {
      let id = ObjectID.make()
      let key = VaultKey.make(epoch: 1)
      var stuck = randombytes_implementation()
      stuck.implementation_name = { nil }
      stuck.random = { 7 }
      stuck.buf = { out, count in
        for index in 0..<count { out?.storeBytes(of: 7, toByteOffset: index, as: UInt8.self) }
      }
      withUnsafeMutablePointer(to: &stuck) {
        _ = randombytes_set_implementation($0)
        let content: [UInt8] = [1]
        _ = key.seal(content.span, .record, oid: id, revision: 1, uid: id)
      }
    }
  }
}
