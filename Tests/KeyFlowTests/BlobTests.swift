// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import TestSupport
import Testing

@testable import KeyFlow

@Suite struct BlobVectors {
  struct Case: Decodable, Sendable {
    let name: String
    let key: Hex
    let kind: UInt8
    let epoch: UInt32
    let revision: UInt64
    let uid: Hex
    let oid: Hex
    let salt: Hex?
    let plaintext: Hex?
    let blob: Hex
    let zeros: Int?
    let blobHash: Hex?
    let error: String?

    func binding() throws -> Binding {
      Binding(
        kind: try #require(Kind(rawValue: kind)), epoch: epoch, revision: revision,
        uid: try #require(ObjectID(uid.bytes)), oid: try #require(ObjectID(oid.bytes)))
    }
  }

  @Test(arguments: try Vectors<Case>.load("blob"))
  func `a blob is sealed and opened, or refused for its fault`(_ vector: Case) throws {
    let binding = try vector.binding()
    guard vector.error == nil else {
      let blob = vector.blob.bytes + [UInt8](repeating: 0, count: vector.zeros ?? 0)
      expect(vector.error) { () throws(BlobError) in
        _ = try Blob.open(blob.span, key: vector.key.bytes.span, binding: binding)
      }
      return
    }
    let plaintext = try #require(vector.plaintext).bytes
    let opened = try Blob.open(
      vector.blob.bytes.span, key: vector.key.bytes.span, binding: binding
    ).array()
    #expect(opened == plaintext)
    let sealed = Blob.seal(
      plaintext.span, key: vector.key.bytes.span, binding: binding,
      salt: try #require(vector.salt).bytes)
    #expect(sealed == vector.blob.bytes)
    #expect(Digest(ofBlob: sealed.span).bytes == vector.blobHash?.bytes)
  }

  struct TwoKeysCase: Decodable, Sendable {
    let name: String
    let key: Hex
    let kind: UInt8
    let epoch: UInt32
    let revision: UInt64
    let uid: Hex
    let oid: Hex
    let blob: Hex
    let bareKey: Hex
    let bareNonce: Hex
    let barePlaintext: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<TwoKeysCase>.load("two-keys"))
  func `A6: a ciphertext for two keys opens bare under both, as a blob under one`(
    _ vector: TwoKeysCase
  ) throws {
    let blob = vector.blob.bytes
    let data = Array(blob[..<84]) + vector.uid.bytes + vector.oid.bytes
    let bare = try AEAD.open(
      Array(blob[84...]).span, key: vector.bareKey.bytes.span, nonce: vector.bareNonce.bytes.span,
      authenticating: data.span
    ).array()
    #expect(bare == vector.barePlaintext.bytes, "the test's own premise")
    let binding = Binding(
      kind: try #require(Kind(rawValue: vector.kind)), epoch: vector.epoch,
      revision: vector.revision, uid: try #require(ObjectID(vector.uid.bytes)),
      oid: try #require(ObjectID(vector.oid.bytes)))
    expect(vector.error) { () throws(BlobError) in
      _ = try Blob.open(blob.span, key: vector.key.bytes.span, binding: binding)
    }
  }

  struct PaddingCase: Decodable, Sendable {
    let name: String
    let plaintextLength: Int
    let paddedLength: Int?
    let blobLength: Int?
  }

  @Test(arguments: try Vectors<PaddingCase>.load("padding"))
  func `a plaintext is padded to its bucket`(_ vector: PaddingCase) {
    guard let padded = vector.paddedLength else {
      #expect(vector.plaintextLength > Blob.largestContent)
      return
    }
    #expect(Padding.length(content: vector.plaintextLength) == padded)
    #expect(Blob.size(content: vector.plaintextLength) == vector.blobLength)
  }
}

@Suite struct BlobProperties {
  let key = randomBytes(32)
  let binding = Binding(
    kind: .record, epoch: 3, revision: 9, uid: ObjectID.make(), oid: ObjectID.make())

  private func opens(_ blob: [UInt8], _ key: [UInt8], _ binding: Binding) -> Bool {
    (try? Blob.open(blob.span, key: key.span, binding: binding).count) != nil
  }

  @Test func `A1: no flipped bit and no truncation opens`() {
    let blob = Blob.seal(Array("dear diary".utf8).span, key: key.span, binding: binding)
    #expect(opens(blob, key, binding))
    for position in blob.indices {
      var flipped = blob
      flipped[position] ^= 1 << UInt8(position % 8)
      #expect(!opens(flipped, key, binding), "byte \(position)")
      #expect(!opens(Array(blob[..<position]), key, binding), "\(position) bytes")
    }
    #expect(!opens(blob + [0], key, binding))
  }

  @Test func `B1: of two users, entries, kinds, epochs and revisions only the identity opens`() {
    let uids = [ObjectID.make(), ObjectID.make()]
    let oids = [ObjectID.make(), ObjectID.make()]
    let bindings = uids.flatMap { uid in
      oids.flatMap { oid in
        [Kind.record, .exportRecord].flatMap { kind in
          [UInt64(1), 2].flatMap { revision in
            [UInt32(1), 2].map {
              Binding(kind: kind, epoch: $0, revision: revision, uid: uid, oid: oid)
            }
          }
        }
      }
    }
    for (sealed, sealing) in bindings.enumerated() {
      let blob = Blob.seal([1, 2, 3].span, key: key.span, binding: sealing)
      for (opened, opening) in bindings.enumerated() {
        #expect(opens(blob, key, opening) == (sealed == opened))
      }
      // The header says another context than the caller's: the commitment still refuses.
      for opening in bindings where opening != sealing {
        var forged = blob
        forged.replaceSubrange(0..<20, with: opening.header)
        #expect(!opens(forged, key, opening))
      }
    }
  }

  @Test func `B4: sizes are the bucket table's and cost at most 12 percent`() {
    var buckets: Set<Int> = []
    for count in 0...70_000 {
      let padded = Padding.length(content: count)
      #expect(padded >= count + 4)
      if count > 4096 { #expect(Double(padded) <= Double(count + 4) * 1.12) }
      buckets.insert(padded)
    }
    #expect(Padding.length(content: 1) == Padding.length(content: 508))
    #expect(buckets.count < 200)
  }

  @Test func `B6: one plaintext sealed a thousand times shows nothing twice`() {
    let blobs = (0..<1000).map { _ in
      Blob.seal([7, 7, 7].span, key: key.span, binding: binding)
    }
    #expect(Set(blobs.map { Array($0[20..<52]) }).count == 1000)
    #expect(Set(blobs.map { Array($0[52..<84]) }).count == 1000)
    #expect(Set(blobs.map { Array($0[84...]) }).count == 1000)
    #expect(Set(blobs.map { Digest(ofBlob: $0.span) }).count == 1000)
  }

  @Test func `B7: every suite but the first is refused`() {
    let blob = Blob.seal([1].span, key: key.span, binding: binding)
    for suite in UInt8.min...UInt8.max where suite != 1 {
      var other = blob
      other[4] = suite
      #expect(throws: BlobError.suite) {
        _ = try Blob.open(other.span, key: key.span, binding: binding)
      }
    }
  }

  @Test func `B10: random bytes and mutated blobs are refused, never trap`() {
    var random = SeededGenerator(for: "B10 blob")
    let valid = Blob.seal(random.bytes(900).span, key: key.span, binding: binding)
    for _ in 0..<3_000 {
      var bytes =
        Bool.random(using: &random)
        ? random.bytes(Int.random(in: 0...1_300, using: &random)) : valid
      for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      if bytes.count > 5, Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0...5, using: &random))
      }
      #expect(bytes == valid || !opens(bytes, key, binding))
    }
  }

  @Test func `one byte more than 1 MiB stops the program before it is sealed`() async {
    await #expect(processExitsWith: .failure) {
      let content = [UInt8](repeating: 0, count: Blob.largestContent + 1)
      let id = ObjectID.make()
      let key = VaultKey.make(epoch: 1)
      _ = key.seal(content.span, .record, oid: id, revision: 1, uid: id)
    }
  }

  @Test func `the largest entry is sealed and opened`() throws {
    let content = [UInt8](repeating: 0x61, count: Blob.largestContent)
    let blob = Blob.seal(content.span, key: key.span, binding: binding)
    #expect(blob.count == 1_081_444)
    let opened = try Blob.open(blob.span, key: key.span, binding: binding).array()
    #expect(opened == content)
  }
}
