// SPDX-License-Identifier: Apache-2.0
internal import Sodium

extension OPAQUE {
  /// What follows from the OPRF's output and its stretching: the root of a client's keys.
  struct RandomizedPassword: ~Copyable {
    private let secret: SecretBytes

    /// `Extract("", oprfOutput ‖ Stretch(oprfOutput))`.
    ///
    /// - Throws: ``KeyExchangeError/outOfMemory(kibibytes:)``.
    init(
      _ oprfOutput: borrowing SecretBytes, stretching: any KeyStretching
    ) throws(KeyExchangeError) {
      let stretched = try Self.stretch(oprfOutput, by: stretching)
      let head = oprfOutput.count
      let both = SecretBytes(count: head + stretched.count, in: .heap) { out in
        oprfOutput.withBytes { out.write($0) }
        stretched.withBytes { out.write($0, at: head) }
      }
      secret = both.withBytes { HKDF.extract(salt: Span(), ikm: $0) }
    }

    private static func stretch(
      _ oprfOutput: borrowing SecretBytes, by stretching: any KeyStretching
    ) throws(KeyExchangeError) -> SecretBytes {
      do {
        return try stretching.stretch(oprfOutput)
      } catch {
        throw KeyExchangeError(error)
      }
    }

    /// The key that hides the envelope on its way, 64 bytes.
    func maskingKey() -> SecretBytes {
      expand(Array("MaskingKey".utf8), count: hashBytes, in: .heap)
    }

    /// The keys bound to an envelope's nonce.
    func keys(nonce: [UInt8]) -> EnvelopeKeys {
      let seed = expand(nonce + Array("PrivateKey".utf8), count: nonceBytes, in: .heap)
      return EnvelopeKeys(
        authentication: expand(nonce + Array("AuthKey".utf8), count: hashBytes, in: .heap),
        export: expand(nonce + Array("ExportKey".utf8), count: hashBytes, in: .guarded),
        client: seed.withBytes {
          OPRF.deriveKey(seed: $0, info: "OPAQUE-DeriveDiffieHellmanKeyPair")
        })
    }

    private func expand(_ info: [UInt8], count: Int, in memory: SecretBytes.Memory) -> SecretBytes {
      secret.withBytes { HKDF.expand(prk: $0, info: info.span, count: count, in: memory) }
    }
  }

  /// The keys bound to one envelope.
  struct EnvelopeKeys: ~Copyable {
    private let authentication: SecretBytes
    /// The key for the client's own use, 64 bytes.
    let export: SecretBytes
    /// The client's private key.
    let client: Ristretto255.Scalar

    init(
      authentication: consuming SecretBytes, export: consuming SecretBytes,
      client: consuming Ristretto255.Scalar
    ) {
      self.authentication = authentication
      self.export = export
      self.client = client
    }

    /// The MAC over an envelope's nonce and the credentials in clear, 64 bytes.
    func tag(
      nonce: [UInt8], serverPublicKey: [UInt8], clientPublicKey: [UInt8], _ identities: Identities
    ) -> SecretBytes {
      let server = identities.server ?? serverPublicKey
      let client = identities.client ?? clientPublicKey
      let message = nonce + serverPublicKey + lp16(server) + lp16(client)
      return authentication.withBytes { HMACSHA512.tag(message.span, key: $0) }
    }
  }

  /// Hides, or shows, the server's public key and an envelope: 128 bytes.
  static func mask(_ clear: [UInt8], key: Span<UInt8>, nonce: [UInt8]) -> [UInt8] {
    let info = nonce + Array("CredentialResponsePad".utf8)
    let pad = HKDF.expand(prk: key, info: info.span, count: maskedResponseBytes, in: .heap)
    return pad.withBytes { pad in clear.indices.map { clear[$0] ^ pad[$0] } }
  }
}
