// SPDX-License-Identifier: Apache-2.0

/// HKDF with HMAC-SHA-512 (RFC 5869), composed here since libsodium 1.0.18 has none.
public enum HKDF {
  /// The pseudorandom key, 64 bytes: `HMAC(salt, ikm)`.
  ///
  /// An empty salt stands for 64 zero bytes, which HMAC pads it to.
  public static func extract(
    salt: Span<UInt8>, ikm: Span<UInt8>, in memory: SecretBytes.Memory = .heap
  ) -> SecretBytes {
    SecretBytes(count: HMACSHA512.tagBytes, in: memory) { out in
      var mac = HMACSHA512(key: salt)
      mac.update(ikm)
      mac.finish(into: &out)
    }
  }

  /// `count` bytes of output keying material, at most 255 × 64.
  public static func expand(
    prk: Span<UInt8>, info: Span<UInt8>, count: Int, in memory: SecretBytes.Memory = .guarded
  ) -> SecretBytes {
    precondition((0...255 * HMACSHA512.tagBytes).contains(count), "HKDF gives at most 16,320 bytes")
    let blocks = (count + HMACSHA512.tagBytes - 1) / HMACSHA512.tagBytes
    let block = SecretBytes(count: blocks * HMACSHA512.tagBytes, in: .heap) { out in
      for index in 0..<blocks {
        let start = index * HMACSHA512.tagBytes
        var mac = HMACSHA512(key: prk)
        if index > 0 { mac.update(out.span.extracting(start - HMACSHA512.tagBytes..<start)) }
        mac.update(info)
        let counter: [UInt8] = [UInt8(index + 1)]
        mac.update(counter.span)
        mac.finish(into: &out, at: start)
      }
    }
    return block.slice(0..<count, in: memory)
  }

  /// `expand(extract(salt, ikm), info, count)`.
  public static func derive(
    salt: Span<UInt8>, ikm: Span<UInt8>, info: Span<UInt8>, count: Int,
    in memory: SecretBytes.Memory = .guarded
  ) -> SecretBytes {
    let prk = extract(salt: salt, ikm: ikm)
    return prk.withBytes { expand(prk: $0, info: info, count: count, in: memory) }
  }
}
