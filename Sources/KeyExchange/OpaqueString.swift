// SPDX-License-Identifier: Apache-2.0
internal import Sodium
// The standard library's own normalisation, as Foundation uses it; no other one is at hand
// without Foundation.
@_spi(_Unicode) private import Swift

/// The OpaqueString profile for passwords (RFC 8265 §4.2): other spaces become U+0020, then NFC;
/// no case folding, no width mapping.
///
/// What a *new* password may hold is checked by ``FreeformRules``. A known one is only brought to
/// its normal form: whether a character is assigned depends on the Unicode version of the device,
/// and no device shall refuse the password that another one accepted.
enum OpaqueString {
  /// The most bytes a password has in its normal form.
  static let maximumBytes = 1_024

  /// The normal form of a password given as UTF-8, 1 to 1,024 bytes.
  ///
  /// - Throws: ``CredentialError`` for what is no password.
  static func enforce(_ password: borrowing SecretBytes) throws(CredentialError) -> SecretBytes {
    guard password.count > 0 else { throw .passwordEmpty }
    // NFC makes UTF-8 at most three times as short or as long; far too long is refused unread.
    guard password.count <= 4 * maximumBytes else { throw .passwordTooLong }
    var count = 0
    let scratch = try password.withBytes { (password) throws(CredentialError) in
      try SecretBytes(count: 3 * password.count, in: .heap) { (out) throws(CredentialError) in
        count = try enforce(password, into: &out)
      }
    }
    guard count <= maximumBytes else { throw .passwordTooLong }
    return scratch.slice(0..<count)
  }

  /// Writes the normal form and gives its length.
  private static func enforce(
    _ password: Span<UInt8>, into out: inout MutableSpan<UInt8>
  ) throws(CredentialError) -> Int {
    guard let text = try? UTF8Span(validating: password) else { throw .passwordNotText }
    var scalars = text.makeUnicodeScalarIterator()
    var count = 0
    // A piece that composes with nothing outside it. Up to 15 bytes a String lies in registers,
    // so that a password does not become one on the heap.
    var piece = ""
    var last: Unicode.Scalar?
    while let scalar = scalars.next() {
      let mapped = isOtherSpace(scalar) ? " " : scalar
      if let last, isBoundary(between: last, and: mapped) {
        write(piece, into: &out, at: &count)
        piece = ""
      }
      piece.unicodeScalars.append(mapped)
      last = mapped
    }
    write(piece, into: &out, at: &count)
    return count
  }

  /// RFC 8265's non-ASCII spaces, as a fixed list: the answer must not move with a Unicode version.
  private static func isOtherSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00A0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Whether NFC composes nothing across this place: a starter follows that is not of the same
  /// grapheme cluster. (Clusters are closed under canonical equivalence, UAX #29.)
  private static func isBoundary(
    between last: Unicode.Scalar, and next: Unicode.Scalar
  ) -> Bool {
    guard next.properties.canonicalCombiningClass == .notReordered else { return false }
    var pair = String(last)
    pair.unicodeScalars.append(next)
    return pair.count == 2
  }

  private static func write(
    _ piece: String, into out: inout MutableSpan<UInt8>, at count: inout Int
  ) {
    for scalar in piece._nfc {
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        out[count] = byte
        count += 1
      }
    }
  }
}
