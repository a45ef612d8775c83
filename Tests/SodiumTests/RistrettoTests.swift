// SPDX-License-Identifier: Apache-2.0
import Sodium
import TestSupport
import Testing

/// RFC 9496, and the gaps of libsodium 1.0.18 that `Ristretto255` closes.
@Suite struct RistrettoTests {
  struct Multiple: Decodable {
    let multiple: UInt8
    let output: Hex
  }

  @Test func `small multiples of the generator are those of the RFC`() throws {
    let vectors = try Vectors<Multiple>.load("rfc/ristretto-multiples")
    #expect(vectors.count == 16)
    for vector in vectors where vector.multiple > 0 {
      let encoded = [vector.multiple] + [UInt8](repeating: 0, count: 31)
      let scalar = try Ristretto255.Scalar(encoded.span)
      #expect(Ristretto255.multiplyBase(by: scalar).bytes == vector.output.bytes)
      #expect(try Ristretto255.Element(vector.output.bytes).bytes == vector.output.bytes)
    }
  }

  struct Encoding: Decodable {
    let name: String
    let encoding: Hex
    let error: String?
  }

  @Test func `bad encodings of the RFC are refused`() throws {
    let vectors = try Vectors<Encoding>.load("rfc/ristretto-invalid")
    #expect(vectors.count == 29)
    for vector in vectors {
      #expect(throws: Ristretto255Error.badElement, "\(vector.name)") {
        try Ristretto255.Element(vector.encoding.bytes)
      }
    }
  }

  @Test func `identity, bit 255 and other lengths are refused`() throws {
    for vector in try Vectors<Encoding>.load("points") {
      if vector.error == nil {
        _ = try Ristretto255.Element(vector.encoding.bytes)
      } else {
        #expect(throws: Ristretto255Error.badElement, "\(vector.name)") {
          try Ristretto255.Element(vector.encoding.bytes)
        }
      }
    }
  }

  struct Uniform: Decodable { let uniform, output: Hex }

  @Test func `the one-way map is that of the RFC`() throws {
    let vectors = try Vectors<Uniform>.load("rfc/ristretto-uniform")
    #expect(vectors.count >= 7)
    for vector in vectors {
      #expect(try Ristretto255.Element(uniform: vector.uniform.bytes).bytes == vector.output.bytes)
      let uniform = vector.uniform.bytes
      let secret = try Ristretto255.SecretElement(uniform: uniform.span)
      let bytes = secret.withBytes { span in span.indices.map { span[$0] } }
      #expect(bytes == vector.output.bytes)
    }
  }

  @Test func `a scalar is reduced and not zero`() throws {
    for vector in try Vectors<Encoding>.load("scalars") {
      let encoding = vector.encoding.bytes
      if vector.error == nil {
        _ = try Ristretto255.Scalar(encoding.span)
      } else {
        #expect(throws: Ristretto255Error.badScalar, "\(vector.name)") {
          _ = try Ristretto255.Scalar(encoding.span)
        }
      }
    }
    let short: [UInt8] = [1]
    #expect(throws: Ristretto255Error.badScalar) { _ = try Ristretto255.Scalar(short.span) }
  }

  @Test func `an inverse undoes a product, secret or not`() throws {
    let scalar = Ristretto255.Scalar.random()
    let element = Ristretto255.multiplyBase(by: .random())
    let product = Ristretto255.multiply(element, by: scalar)
    #expect(Ristretto255.multiply(product, by: scalar.inverted()) == element)
    let secret = Ristretto255.SecretElement(multiplying: product, by: scalar.inverted())
    #expect(Ristretto255.multiply(secret, by: scalar) == product)
  }
}
