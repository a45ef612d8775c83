// SPDX-License-Identifier: Apache-2.0
internal import Sodium

extension OPAQUE {
  /// The key schedule of 3DH (RFC 9807 §6.4): one transcript, one set of keys on both sides.
  struct TripleDH: ~Copyable {
    /// The hash of the transcript up to the server's MAC, still open for that MAC.
    private let transcript: SHA512
    private let serverMACKey: SecretBytes
    private let clientMACKey: SecretBytes

    /// The key that both sides share from now on, 64 bytes.
    let sessionKey: SecretBytes

    /// The keys of three Diffie–Hellman results and a transcript.
    init(
      _ first: borrowing Ristretto255.SecretElement, _ second: borrowing Ristretto255.SecretElement,
      _ third: borrowing Ristretto255.SecretElement, preamble: [UInt8]
    ) {
      let ikm = SecretBytes(count: 3 * Ristretto255.bytes, in: .heap) { out in
        first.withBytes { out.write($0) }
        second.withBytes { out.write($0, at: Ristretto255.bytes) }
        third.withBytes { out.write($0, at: 2 * Ristretto255.bytes) }
      }
      var transcript = SHA512()
      transcript.update(preamble)
      self.transcript = transcript
      let hash = transcript.finish()
      let prk = ikm.withBytes { HKDF.extract(salt: Span(), ikm: $0) }
      let handshake = Self.derive(prk, "HandshakeSecret", hash, in: .heap)
      sessionKey = Self.derive(prk, "SessionKey", hash, in: .guarded)
      serverMACKey = Self.derive(handshake, "ServerMAC", [], in: .heap)
      clientMACKey = Self.derive(handshake, "ClientMAC", [], in: .heap)
    }

    /// The server's MAC over the transcript, 64 bytes.
    func serverMAC() -> SecretBytes {
      var transcript = transcript
      let hash = transcript.finish()
      return serverMACKey.withBytes { HMACSHA512.tag(hash.span, key: $0) }
    }

    /// The client's MAC over the transcript and the server's MAC, 64 bytes.
    func clientMAC(after serverMAC: [UInt8]) -> SecretBytes {
      var transcript = transcript
      transcript.update(serverMAC)
      let hash = transcript.finish()
      return clientMACKey.withBytes { HMACSHA512.tag(hash.span, key: $0) }
    }

    /// The transcript that the keys and the MACs depend on.
    static func preamble(
      context: [UInt8], client: [UInt8], _ ke1: KE1, server: [UInt8], _ ke2: KE2.Unauthenticated
    ) -> [UInt8] {
      Array("OPAQUEv1-".utf8) + lp16(context) + lp16(client) + ke1.bytes + lp16(server) + ke2.bytes
    }

    /// `Derive-Secret`: 64 bytes for a label and a transcript hash.
    private static func derive(
      _ secret: borrowing SecretBytes, _ label: String, _ hash: [UInt8],
      in memory: SecretBytes.Memory
    ) -> SecretBytes {
      let label = Array("OPAQUE-".utf8) + Array(label.utf8)
      let info =
        [0, UInt8(hashBytes), UInt8(label.count)] + label + [UInt8(hash.count)] + hash
      return secret.withBytes {
        HKDF.expand(prk: $0, info: info.span, count: hashBytes, in: memory)
      }
    }
  }
}
