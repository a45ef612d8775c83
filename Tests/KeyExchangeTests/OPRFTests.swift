// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

/// RFC 9497, appendix A.1.1.
@Suite struct OPRFTests {
  struct Vector: Decodable, Sendable {
    let name: String
    let seed, secretKey, input, blind, blindedElement, evaluationElement, output: Hex
    let keyInfo: Hex
  }

  @Test func `base mode gives the values of the RFC`() throws {
    let vectors = try Vectors<Vector>.load("rfc/oprf")
    #expect(vectors.count == 2)
    for vector in vectors {
      #expect(String(decoding: vector.keyInfo.bytes, as: UTF8.self) == "test key")
      let key = OPRF.deriveKey(seed: vector.seed.bytes.span, info: "test key")
      let secretKey = key.withBytes { span in span.indices.map { span[$0] } }
      #expect(secretKey == vector.secretKey.bytes)
      let blind = try Ristretto255.Scalar(vector.blind.bytes.span)
      let blinded = try OPRF.blind(vector.input.bytes.span, by: blind)
      #expect(blinded.bytes == vector.blindedElement.bytes)
      let evaluated = OPRF.evaluate(blinded, key: key)
      #expect(evaluated.bytes == vector.evaluationElement.bytes)
      let output = OPRF.finalize(vector.input.bytes.span, blind: blind, evaluated: evaluated)
      let bytes = output.array()
      #expect(bytes == vector.output.bytes)
    }
  }
}
