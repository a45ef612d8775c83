// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// Pointers come from spans checked to be nonempty, or from inline storage.
private import CSodium

/// SHA-512 (FIPS 180-4), fed piece by piece.
public struct SHA512 {
  private var state = crypto_hash_sha512_state()

  /// Bytes in a digest.
  public static let digestBytes = 64

  /// An empty message so far.
  public init() {
    unsafe crypto_hash_sha512_init(&state)
  }

  /// Appends `bytes` to the message.
  public mutating func update(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = unsafe crypto_hash_sha512_update(&state, base, UInt64(bytes.count))
    }
  }

  /// Appends `bytes` to the message.
  public mutating func update(_ bytes: [UInt8]) {
    update(bytes.span)
  }

  /// The digest of the message, 64 bytes, once; libsodium wipes the state behind it.
  public mutating func finish() -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: Self.digestBytes) { out, written in
      _ = unsafe crypto_hash_sha512_final(&state, out.baseAddress!)
      written = Self.digestBytes
    }
  }

  /// Writes the digest of a secret message to the 64 bytes of `out` from `offset` on; call once.
  ///
  /// libsodium wipes the state behind it.
  public mutating func finish(into out: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(offset >= 0 && out.count - offset >= Self.digestBytes, "a digest has 64 bytes")
    unsafe out.withUnsafeMutableBufferPointer { out in
      _ = unsafe crypto_hash_sha512_final(&state, out.baseAddress! + offset)
    }
  }

  /// The first `count` bytes of the digest of `pieces`, joined; `count` is at most 64.
  public static func hash(_ pieces: [UInt8]..., count: Int = digestBytes) -> [UInt8] {
    var hasher = SHA512()
    for piece in pieces { hasher.update(piece) }
    return [UInt8](hasher.finish().prefix(count))
  }

  /// The first 32 bytes of the digest of `bytes`: the form of every `blobHash`.
  public static func hash32(_ bytes: Span<UInt8>) -> [UInt8] {
    var hasher = SHA512()
    hasher.update(bytes)
    return [UInt8](hasher.finish().prefix(32))
  }
}
