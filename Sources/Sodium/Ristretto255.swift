// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from arrays and spans whose sizes were checked.
private import CSodium

/// The prime-order group ristretto255 (RFC 9496), with the checks that libsodium 1.0.18 leaves out.
public enum Ristretto255 {
  /// Bytes in an encoded element, and in a scalar (little-endian).
  public static let bytes = 32

  /// A group element that is not the identity, in its canonical encoding.
  public struct Element: Equatable, Sendable {
    /// The canonical encoding, 32 bytes.
    public let bytes: [UInt8]

    fileprivate init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Decodes `bytes`.
    ///
    /// libsodium ignores bit 255 and accepts the identity; RFC 9496 and RFC 9497 refuse both.
    ///
    /// - Throws: ``Ristretto255Error`` for what is not the canonical encoding of an element
    ///   other than the identity.
    public init(_ bytes: [UInt8]) throws(Ristretto255Error) {
      guard bytes.count == Ristretto255.bytes, bytes[31] & 0x80 == 0,
        bytes.contains(where: { $0 != 0 }),
        unsafe crypto_core_ristretto255_is_valid_point(bytes) == 1
      else { throw .badElement }
      self.bytes = bytes
    }

    /// The element that 64 uniform bytes map to (RFC 9496 §4.3.4).
    ///
    /// - Throws: ``Ristretto255Error`` for the identity, which random bytes do not meet.
    public init(uniform bytes: [UInt8]) throws(Ristretto255Error) {
      precondition(bytes.count == 64, "the one-way map takes 64 bytes")
      var point = [UInt8](repeating: 0, count: Ristretto255.bytes)
      unsafe crypto_core_ristretto255_from_hash(&point, bytes)
      try self.init(point)
    }
  }

  /// An element that must stay secret: a hashed password, a Diffie–Hellman result.
  public struct SecretElement: ~Copyable, Sendable {
    fileprivate let secret: SecretBytes

    /// The element that 64 uniform bytes map to (RFC 9496 §4.3.4).
    ///
    /// - Throws: ``Ristretto255Error`` for the identity, which a hash does not meet.
    public init(uniform bytes: Span<UInt8>) throws(Ristretto255Error) {
      precondition(bytes.count == 64, "the one-way map takes 64 bytes")
      let point = SecretBytes(count: Ristretto255.bytes, in: .heap) { out in
        unsafe out.withUnsafeMutableBufferPointer { out in
          unsafe bytes.withUnsafeBufferPointer {
            _ = unsafe crypto_core_ristretto255_from_hash(out.baseAddress!, $0.baseAddress!)
          }
        }
      }
      guard point.withBytes({ !isZero($0) }) else { throw .badElement }
      secret = point
    }

    /// `scalar · element`, where the product is the secret.
    public init(multiplying element: Element, by scalar: borrowing Scalar) {
      secret = scalar.secret.withBytes { scalar in
        SecretBytes(count: Ristretto255.bytes, in: .heap) { out in
          let status = unsafe out.withUnsafeMutableBufferPointer { out in
            unsafe scalar.withUnsafeBufferPointer {
              unsafe crypto_scalarmult_ristretto255(
                out.baseAddress!, $0.baseAddress!, element.bytes)
            }
          }
          // A valid element of prime order times a nonzero reduced scalar is never the identity.
          precondition(status == 0, "ristretto255: a checked product failed")
        }
      }
    }

    /// Lends the canonical encoding, 32 bytes.
    ///
    /// - Throws: What `body` throws.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
      _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
      try secret.withBytes(body)
    }
  }

  /// A nonzero scalar below the group's order, in wiped memory.
  public struct Scalar: ~Copyable, Sendable {
    fileprivate let secret: SecretBytes

    private init(unchecked secret: consuming SecretBytes) { self.secret = secret }

    /// A uniformly random scalar.
    public static func random() -> Scalar {
      _ = Library.ready
      return Scalar(
        unchecked: SecretBytes(count: bytes, in: .heap) { out in
          unsafe out.withUnsafeMutableBufferPointer {
            unsafe crypto_core_ristretto255_scalar_random($0.baseAddress!)
          }
        })
    }

    /// 64 uniform bytes, read little-endian, modulo the order.
    ///
    /// - Throws: ``Ristretto255Error`` when the result is zero.
    public init(reducing wide: Span<UInt8>) throws(Ristretto255Error) {
      precondition(wide.count == 64, "a scalar is reduced from 64 bytes")
      let reduced = SecretBytes(count: bytes, in: .heap) { out in
        unsafe out.withUnsafeMutableBufferPointer { out in
          unsafe wide.withUnsafeBufferPointer {
            unsafe crypto_core_ristretto255_scalar_reduce(out.baseAddress!, $0.baseAddress!)
          }
        }
      }
      guard reduced.withBytes({ !isZero($0) }) else { throw .badScalar }
      self.init(unchecked: reduced)
    }

    /// A canonical scalar, 32 bytes little-endian, kept in `memory`.
    ///
    /// - Throws: ``Ristretto255Error`` for zero, for the order or more, and for another length.
    public init(
      _ canonical: Span<UInt8>, in memory: SecretBytes.Memory = .heap
    ) throws(Ristretto255Error) {
      guard canonical.count == bytes else { throw .badScalar }
      let wide = SecretBytes(count: 64, in: .heap) { out in
        for index in canonical.indices { out[index] = canonical[index] }
      }
      let scalar = try wide.withBytes { (wide) throws(Ristretto255Error) in
        try Scalar(reducing: wide)
      }
      guard scalar.withBytes({ constantTimeEqual($0, canonical) }) else { throw .badScalar }
      self.init(unchecked: SecretBytes(copying: canonical, in: memory))
    }

    /// Lends the canonical encoding, 32 bytes little-endian.
    ///
    /// - Throws: What `body` throws.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
      _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
      try secret.withBytes(body)
    }

    /// The multiplicative inverse.
    public borrowing func inverted() -> Scalar {
      secret.withBytes { scalar in
        Scalar(
          unchecked: SecretBytes(count: bytes, in: .heap) { out in
            unsafe out.withUnsafeMutableBufferPointer { out in
              unsafe scalar.withUnsafeBufferPointer {
                _ = unsafe crypto_core_ristretto255_scalar_invert(out.baseAddress!, $0.baseAddress!)
              }
            }
          })
      }
    }
  }

  /// `scalar · element`.
  public static func multiply(_ element: Element, by scalar: borrowing Scalar) -> Element {
    var product = [UInt8](repeating: 0, count: bytes)
    let status = scalar.secret.withBytes { scalar in
      unsafe scalar.withUnsafeBufferPointer {
        unsafe crypto_scalarmult_ristretto255(&product, $0.baseAddress!, element.bytes)
      }
    }
    // A valid element of prime order times a nonzero reduced scalar is never the identity.
    precondition(status == 0, "ristretto255: a checked product failed")
    return Element(unchecked: product)
  }

  /// `scalar · element`, which hides a secret element behind a random scalar.
  public static func multiply(
    _ element: borrowing SecretElement, by scalar: borrowing Scalar
  ) -> Element {
    var product = [UInt8](repeating: 0, count: bytes)
    let status = scalar.secret.withBytes { scalar in
      element.secret.withBytes { element in
        unsafe scalar.withUnsafeBufferPointer { scalar in
          unsafe element.withUnsafeBufferPointer {
            unsafe crypto_scalarmult_ristretto255(
              &product, scalar.baseAddress!, $0.baseAddress!)
          }
        }
      }
    }
    precondition(status == 0, "ristretto255: a checked product failed")
    return Element(unchecked: product)
  }

  /// `scalar · generator`.
  public static func multiplyBase(by scalar: borrowing Scalar) -> Element {
    var product = [UInt8](repeating: 0, count: bytes)
    let status = scalar.secret.withBytes { scalar in
      unsafe scalar.withUnsafeBufferPointer {
        unsafe crypto_scalarmult_ristretto255_base(&product, $0.baseAddress!)
      }
    }
    precondition(status == 0, "ristretto255: a checked product failed")
    return Element(unchecked: product)
  }

  /// Whether every byte is zero, in constant time.
  private static func isZero(_ bytes: Span<UInt8>) -> Bool {
    unsafe bytes.withUnsafeBufferPointer { unsafe sodium_is_zero($0.baseAddress!, $0.count) == 1 }
  }
}

/// Why bytes are not a group element or a scalar.
public enum Ristretto255Error: Error, Equatable {
  /// Not a canonical encoding, or the identity.
  case badElement
  /// Zero, not reduced, or of another length than 32 bytes.
  case badScalar
}
