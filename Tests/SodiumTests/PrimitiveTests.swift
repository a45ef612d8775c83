// SPDX-License-Identifier: Apache-2.0
import Sodium
import TestSupport
import Testing

@Suite struct PrimitiveTests {
  struct HKDFVector: Decodable {
    let ikm, salt, info, prk, output: Hex
    let length: Int
  }

  @Test func `HKDF of the inputs of RFC 5869`() throws {
    for vector in try Vectors<HKDFVector>.load("rfc/hkdf-sha512") {
      let prk = HKDF.extract(salt: vector.salt.bytes.span, ikm: vector.ikm.bytes.span).array()
      #expect(prk == vector.prk.bytes)
      let output = HKDF.expand(
        prk: prk.span, info: vector.info.bytes.span, count: vector.length
      ).array()
      #expect(output == vector.output.bytes)
    }
  }

  struct SignatureVector: Decodable { let seed, publicKey, message, signature: Hex }

  @Test func `Ed25519 of RFC 8032`() throws {
    for vector in try Vectors<SignatureVector>.load("rfc/ed25519") {
      let key = Ed25519.SigningKey(seed: SecretBytes(vector.seed.bytes))
      let publicKey = key.publicKey
      #expect(publicKey == vector.publicKey.bytes)
      let signature = key.sign(vector.message.bytes)
      #expect(signature == vector.signature.bytes)
      #expect(Ed25519.verify(signature, of: vector.message.bytes, by: publicKey))
    }
  }

  @Test func `a digest is the same however the message is cut`() {
    let message = Array("the same however it is cut".utf8)
    var hash = SHA512()
    hash.update(Array(message[..<5]))
    hash.update(Array(message[5...]))
    let digest = SecretBytes(count: 64) { out in hash.finish(into: &out) }.array()
    #expect(digest == SHA512.hash(message))
  }

  @Test func `Info states label and context with their lengths`() {
    #expect(Info("seal", context: [9, 8]).bytes == Array("KF1\u{4}seal".utf8) + [0, 2, 9, 8])
  }
}
