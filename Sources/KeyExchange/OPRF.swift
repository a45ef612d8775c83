// SPDX-License-Identifier: Apache-2.0
package import Sodium

/// The oblivious pseudorandom function ristretto255-SHA512 in base mode (RFC 9497).
package enum OPRF {
  private static let contextString =
    Array("OPRFV1-".utf8) + [0] + Array("-ristretto255-SHA512".utf8)

  /// `blind · HashToGroup(input)`.
  ///
  /// - Throws: ``KeyExchangeError/refused`` when the input hashes to the identity, which no one
  ///   has met.
  package static func blind(
    _ input: Span<UInt8>, by blind: borrowing Ristretto255.Scalar
  ) throws(KeyExchangeError) -> Ristretto255.Element {
    let uniform = expandMessage(input, domain: Array("HashToGroup-".utf8) + contextString)
    do {
      let element = try uniform.withBytes { (bytes) throws(Ristretto255Error) in
        try Ristretto255.SecretElement(uniform: bytes)
      }
      return Ristretto255.multiply(element, by: blind)
    } catch {
      throw .refused
    }
  }

  /// `key · blindedElement`, the server's part.
  package static func evaluate(
    _ blindedElement: Ristretto255.Element, key: borrowing Ristretto255.Scalar
  ) -> Ristretto255.Element {
    Ristretto255.multiply(blindedElement, by: key)
  }

  /// The function's output for `input`, 64 bytes.
  package static func finalize(
    _ input: Span<UInt8>, blind: borrowing Ristretto255.Scalar, evaluated: Ristretto255.Element
  ) -> SecretBytes {
    let unblinded = Ristretto255.SecretElement(multiplying: evaluated, by: blind.inverted())
    return SecretBytes(count: SHA512.digestBytes, in: .heap) { out in
      var hash = SHA512()
      hash.update(lengthPrefix(input.count))
      hash.update(input)
      hash.update([0, UInt8(Ristretto255.bytes)])
      unblinded.withBytes { hash.update($0) }
      hash.update(Array("Finalize".utf8))
      hash.finish(into: &out)
    }
  }

  /// The private key that follows from a 32-byte `seed` and a public `info` (DeriveKeyPair).
  package static func deriveKey(seed: Span<UInt8>, info: StaticString) -> Ristretto255.Scalar {
    let info = lp16(Array(info.description.utf8))
    let domain = Array("DeriveKeyPair".utf8) + contextString
    for counter in UInt8.min...UInt8.max {
      let uniform = expandMessage(seed, info + [counter], domain: domain)
      let scalar = uniform.withBytes { try? Ristretto255.Scalar(reducing: $0) }
      if let scalar { return scalar }
    }
    // 256 hashes in a row that are zero modulo the order.
    preconditionFailure("DeriveKeyPair found no key")
  }

  /// `expand_message_xmd` (RFC 9380 §5.3.1) with SHA-512 for one block: 64 uniform bytes.
  private static func expandMessage(
    _ message: Span<UInt8>, _ suffix: [UInt8] = [], domain: [UInt8]
  ) -> SecretBytes {
    let domain = domain + [UInt8(domain.count)]
    let first = SecretBytes(count: SHA512.digestBytes, in: .heap) { out in
      var hash = SHA512()
      hash.update([UInt8](repeating: 0, count: 128))
      hash.update(message)
      hash.update(suffix + [0, 64, 0] + domain)
      hash.finish(into: &out)
    }
    return SecretBytes(count: SHA512.digestBytes, in: .heap) { out in
      var hash = SHA512()
      first.withBytes { hash.update($0) }
      hash.update([1] + domain)
      hash.finish(into: &out)
    }
  }
}
