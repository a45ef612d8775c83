// SPDX-License-Identifier: Apache-2.0
import Sodium
import TestSupport
import Testing

@Suite struct WycheproofTests {
  struct AEADGroup: Decodable {
    struct Vector: Decodable {
      let tcId: Int
      let key, iv, aad, msg, ct, tag: Hex
      let result: String
    }
    let tests: [Vector]
  }

  @Test func `XChaCha20-Poly1305`() throws {
    guard let file = try Wycheproof<AEADGroup>.load("xchacha20_poly1305_test") else { return }
    let vectors = file.testGroups.flatMap(\.tests)
    // Nonces of another size cannot be given to the API; 9 vectors have one.
    let usable = vectors.filter { $0.iv.bytes.count == AEAD.nonceBytes }
    #expect(vectors.count == file.numberOfTests && usable.count == vectors.count - 9)
    for vector in usable {
      let sealed = vector.ct.bytes + vector.tag.bytes
      let opened = Result {
        try AEAD.open(
          sealed.span, key: vector.key.bytes.span, nonce: vector.iv.bytes.span,
          authenticating: vector.aad.bytes.span
        ).array()
      }
      guard vector.result == "valid" else {
        #expect(throws: AEADError.forged, "test \(vector.tcId)") { try opened.get() }
        continue
      }
      #expect(try opened.get() == vector.msg.bytes, "test \(vector.tcId)")
      var buffer = vector.msg.bytes + [UInt8](repeating: 0, count: AEAD.tagBytes)
      var span = buffer.mutableSpan
      AEAD.sealInPlace(
        &span, key: vector.key.bytes.span, nonce: vector.iv.bytes.span,
        authenticating: vector.aad.bytes.span)
      #expect(buffer == sealed, "test \(vector.tcId)")
    }
  }

  struct HKDFGroup: Decodable {
    struct Vector: Decodable {
      let tcId: Int
      let ikm, salt, info, okm: Hex
      let size: Int
      let result: String
    }
    let tests: [Vector]
  }

  @Test func `HKDF-SHA-512`() throws {
    guard let file = try Wycheproof<HKDFGroup>.load("hkdf_sha512_test") else { return }
    var valid = 0
    for vector in file.testGroups.flatMap(\.tests) {
      // The invalid ones ask for too much, which stops the process: tested on its own.
      guard vector.result == "valid" else {
        #expect(vector.size > 255 * 64, "test \(vector.tcId)")
        continue
      }
      let okm = HKDF.derive(
        salt: vector.salt.bytes.span, ikm: vector.ikm.bytes.span, info: vector.info.bytes.span,
        count: vector.size, in: .heap
      ).array()
      #expect(okm == vector.okm.bytes, "test \(vector.tcId)")
      valid += 1
    }
    #expect(valid >= 80)
  }

  @Test func `asking HKDF for more than it has stops the process`() async {
    await #expect(processExitsWith: .failure) {
      let prk: [UInt8] = [1]
      let info: [UInt8] = []
      _ = HKDF.expand(prk: prk.span, info: info.span, count: 255 * 64 + 1)
    }
  }

  struct MACGroup: Decodable {
    struct Vector: Decodable {
      let tcId: Int
      let key, msg, tag: Hex
      let result: String
    }
    let tagSize: Int
    let tests: [Vector]
  }

  @Test func `HMAC-SHA-512`() throws {
    guard let file = try Wycheproof<MACGroup>.load("hmac_sha512_test") else { return }
    #expect(file.testGroups.map(\.tests.count).reduce(0, +) == file.numberOfTests)
    for group in file.testGroups {
      for vector in group.tests {
        let tag = HMACSHA512.tag(vector.msg.bytes.span, key: vector.key.bytes.span).array()
        let same = Array(tag.prefix(group.tagSize / 8)) == vector.tag.bytes
        #expect(same == (vector.result == "valid"), "test \(vector.tcId)")
      }
    }
  }

  struct SignatureGroup: Decodable {
    struct PublicKey: Decodable { let pk: Hex }
    struct Vector: Decodable {
      let tcId: Int
      let msg, sig: Hex
      let result: String
    }
    let publicKey: PublicKey
    let tests: [Vector]
  }

  @Test func `Ed25519 signatures`() throws {
    guard let file = try Wycheproof<SignatureGroup>.load("ed25519_test") else { return }
    #expect(file.testGroups.map(\.tests.count).reduce(0, +) == file.numberOfTests)
    for group in file.testGroups {
      for vector in group.tests {
        let verified = Ed25519.verify(
          vector.sig.bytes, of: vector.msg.bytes, by: group.publicKey.pk.bytes)
        #expect(verified == (vector.result == "valid"), "test \(vector.tcId)")
      }
    }
  }
}
