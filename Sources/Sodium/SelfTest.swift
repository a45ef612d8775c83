// SPDX-License-Identifier: Apache-2.0

/// One known answer of every primitive, checked at the start of a program: with a library that is
/// broken, or not the one that was meant, nothing must be sealed, opened or believed.
public enum SelfTest {
  /// A primitive whose answer was another one.
  public enum Primitive: String, Sendable, CaseIterable {
    /// The hash.
    case sha512 = "SHA-512"
    /// The derivation, and with it HMAC.
    case hkdf = "HKDF-SHA-512"
    /// The seal of every blob.
    case aead = "XChaCha20-Poly1305"
    /// The stretching of passwords.
    case argon2id = "Argon2id"
    /// Signatures.
    case ed25519 = "Ed25519"
    /// The group of OPAQUE.
    case ristretto255
  }

  /// The primitives that do not answer as they must; empty where all is well.
  public static func failures() -> [Primitive] { failures(expecting: known) }

  /// What each primitive must answer, in bytes.
  static let known: [Primitive: [UInt8]] = [
    .sha512: bytes(
      0xddaf_35a1_93617aba, 0xcc41_7349_ae204131, 0x12e6_fa4e_89a97ea2, 0x0a9e_eee6_4b55d39a,
      0x2192_992a_274fc1a8, 0x36ba_3c23_a3feebbd, 0x454d_4423_643ce80e, 0x2a9a_c94f_a54ca49f),
    .hkdf: bytes(
      0xf866_6bd3_fdd88840, 0xc947_6142_72dd065c, 0x71c5_41b0_de03ff73, 0x8644_dffc_3facec64),
    .aead: Array(
      bytes(0xf3a7_7c0c_f1b5e817, 0x70ac_c6fe_a23bf5fe, 0x0789_f836_45933800).dropLast()),
    .argon2id: bytes(
      0xc9a6_de29_d0aa7da6, 0x589b_ccaa_b4448c22, 0xec30_2020_96b855c4, 0x501b_5c2c_7fc388af),
    .ed25519: bytes(
      0xcc46_d62d_3754f417, 0x54b2_7b6e_a2cb2c27, 0x2baf_a7a5_a1f6062b, 0xd060_f414_e50caaea,
      0xc2da_66ad_39cef442, 0x4a90_236e_a907b7d8, 0x057e_3443_dc5abfc9, 0x9869_67ee_7213a407),
    .ristretto255: bytes(
      0x707e_eb00_16d18d04, 0x9bb6_d9a3_8cad87e1, 0x88cf_cd14_bee44b86, 0x692d_f43e_1a2a5566),
  ]

  /// The primitives whose answers are not `answers`.
  static func failures(expecting answers: [Primitive: [UInt8]]) -> [Primitive] {
    Primitive.allCases.filter { answer(of: $0) != answers[$0] }
  }

  private static func answer(of primitive: Primitive) -> [UInt8]? {
    _ = Library.ready
    let message = Array("abc".utf8)
    switch primitive {
    case .sha512: return SHA512.hash(message)
    case .hkdf:
      let (salt, ikm, info) = (Array("salt".utf8), Array("ikm".utf8), Array("info".utf8))
      return array(HKDF.derive(salt: salt.span, ikm: ikm.span, info: info.span, count: 32))
    case .aead: return aead()
    case .argon2id:
      let password = Array("password".utf8)
      let cost = Argon2id(passes: 1, memoryKiB: 8)
      guard
        let derived = try? cost.derive(
          from: password.span, salt: [UInt8](repeating: 0, count: 16), count: 32)
      else { return nil }
      return array(derived)
    case .ed25519:
      let seed = SecretBytes(count: 32) { out in
        for index in 0..<32 { out[index] = UInt8(index) }
      }
      let key = Ed25519.SigningKey(seed: seed)
      let signature = key.sign(message)
      var other = message
      other[0] ^= 1
      let verifies =
        Ed25519.verify(signature, of: message, by: key.publicKey)
        && !Ed25519.verify(signature, of: other, by: key.publicKey)
      return verifies ? signature : nil
    case .ristretto255:
      let wide = [UInt8](repeating: 0, count: 63)
      guard let element = try? Ristretto255.Element(uniform: SHA512.hash(message)),
        let scalar = try? Ristretto255.Scalar(reducing: ([7] + wide).span)
      else { return nil }
      return Ristretto255.SecretElement(multiplying: element, by: scalar).withBytes { bytes in
        bytes.indices.map { bytes[$0] }
      }
    }
  }

  /// The sealed message, where it opens again and a changed one does not.
  private static func aead() -> [UInt8]? {
    let (key, nonce) = ((0..<32).map { UInt8($0) }, (0..<24).map { UInt8($0) })
    let (data, message) = (Array("data".utf8), Array("message".utf8))
    let sealed = SecretBytes(count: message.count + AEAD.tagBytes, in: .heap) { out in
      for (index, byte) in message.enumerated() { out[index] = byte }
      AEAD.sealInPlace(&out, key: key.span, nonce: nonce.span, authenticating: data.span)
    }
    var bytes = array(sealed)
    let answer = bytes
    func opened() -> [UInt8]? {
      guard
        let plain = try? AEAD.open(
          bytes.span, key: key.span, nonce: nonce.span, authenticating: data.span)
      else { return nil }
      return array(plain)
    }
    guard opened() == message else { return nil }
    bytes[0] ^= 1
    return opened() == nil ? answer : nil
  }

  private static func array(_ secret: borrowing SecretBytes) -> [UInt8] {
    secret.withBytes { bytes in bytes.indices.map { bytes[$0] } }
  }

  private static func bytes(_ words: UInt64...) -> [UInt8] { words.flatMap { bigEndian($0) } }
}
