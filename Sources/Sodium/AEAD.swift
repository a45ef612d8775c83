// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from spans whose sizes were checked to be nonzero.
private import CSodium

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), by libsodium.
///
/// Not key-committing: whoever calls this checks a commitment to the key first.
public enum AEAD {
  /// Bytes in a key.
  public static let keyBytes = 32
  /// Bytes in a nonce.
  public static let nonceBytes = 24
  /// Bytes in the authentication tag.
  public static let tagBytes = 16

  /// Turns `plaintext ‖ 16 spare bytes`, from `offset` of `buffer` on, into `ciphertext ‖ tag`.
  public static func sealInPlace(
    _ buffer: inout MutableSpan<UInt8>, from offset: Int = 0, key: Span<UInt8>, nonce: Span<UInt8>,
    authenticating data: Span<UInt8>
  ) {
    precondition(key.count == keyBytes && nonce.count == nonceBytes && offset >= 0)
    precondition(buffer.count - offset >= tagBytes)
    unsafe buffer.withUnsafeMutableBufferPointer { buffer in
      let start = unsafe buffer.baseAddress! + offset
      unsafe key.withUnsafeBufferPointer { key in
        unsafe nonce.withUnsafeBufferPointer { nonce in
          unsafe data.withUnsafeBufferPointer { data in
            _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
              start, nil, start, UInt64(buffer.count - offset - tagBytes),
              data.baseAddress, UInt64(data.count), nil, nonce.baseAddress!, key.baseAddress!)
          }
        }
      }
    }
  }

  /// The plaintext of `ciphertext ‖ tag`, in memory that is wiped.
  ///
  /// - Throws: ``AEADError`` when key, nonce, data and bytes are not those of the seal.
  public static func open(
    _ sealed: Span<UInt8>, key: Span<UInt8>, nonce: Span<UInt8>,
    authenticating data: Span<UInt8>, in memory: SecretBytes.Memory = .heap
  ) throws(AEADError) -> SecretBytes {
    precondition(key.count == keyBytes && nonce.count == nonceBytes)
    guard sealed.count >= tagBytes else { throw .forged }
    return try SecretBytes(count: sealed.count - tagBytes, in: memory) { (out) throws(AEADError) in
      // An empty plaintext still has a tag to check; libsodium takes no null output then.
      var none: UInt8 = 0
      let status = unsafe out.withUnsafeMutableBufferPointer { out in
        unsafe sealed.withUnsafeBufferPointer { sealed in
          unsafe key.withUnsafeBufferPointer { key in
            unsafe nonce.withUnsafeBufferPointer { nonce in
              unsafe data.withUnsafeBufferPointer { data in
                unsafe withUnsafeMutablePointer(to: &none) { none in
                  unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
                    out.baseAddress ?? none, nil, nil, sealed.baseAddress!, UInt64(sealed.count),
                    data.baseAddress, UInt64(data.count), nonce.baseAddress!, key.baseAddress!)
                }
              }
            }
          }
        }
      }
      guard status == 0 else { throw .forged }
    }
  }
}

/// Why a sealed value did not open.
public enum AEADError: Error, Equatable {
  /// The key, the nonce, the data or the bytes are not those it was sealed with.
  case forged
}
