// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// Pointers come from spans checked to be nonempty, or from inline storage.
private import CSodium

/// HMAC-SHA-512 (RFC 2104, FIPS 198-1), fed piece by piece; keys of any length.
///
/// The state holds key material and is wiped when the value dies.
@safe
public struct HMACSHA512: ~Copyable {
  private let state: UnsafeMutablePointer<crypto_auth_hmacsha512_state>

  /// Bytes in a tag.
  public static let tagBytes = 64

  /// An empty message under `key`.
  public init(key: Span<UInt8>) {
    let state = UnsafeMutablePointer<crypto_auth_hmacsha512_state>.allocate(capacity: 1)
    unsafe self.state = state
    unsafe key.withUnsafeBufferPointer { key in
      // An empty key has no address; HMAC pads it with zeros all the same.
      var none: UInt8 = 0
      if let base = key.baseAddress {
        unsafe crypto_auth_hmacsha512_init(state, base, key.count)
      } else {
        unsafe crypto_auth_hmacsha512_init(state, &none, 0)
      }
    }
  }

  deinit {
    unsafe sodium_memzero(state, MemoryLayout<crypto_auth_hmacsha512_state>.size)
    unsafe state.deallocate()
  }

  /// Appends `bytes` to the message.
  public mutating func update(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = unsafe crypto_auth_hmacsha512_update(state, base, UInt64(bytes.count))
    }
  }

  /// Writes the tag of the message to the 64 bytes of `out` from `offset` on; call once.
  public mutating func finish(into out: inout MutableSpan<UInt8>, at offset: Int = 0) {
    precondition(offset >= 0 && out.count - offset >= Self.tagBytes, "a tag has 64 bytes")
    unsafe out.withUnsafeMutableBufferPointer { out in
      _ = unsafe crypto_auth_hmacsha512_final(state, out.baseAddress! + offset)
    }
  }

  /// The tag of `message` under `key`, 64 bytes.
  public static func tag(_ message: Span<UInt8>, key: Span<UInt8>) -> SecretBytes {
    SecretBytes(count: tagBytes, in: .heap) { out in
      var mac = HMACSHA512(key: key)
      mac.update(message)
      mac.finish(into: &out)
    }
  }
}
