// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// Crockford's base32, for what people read aloud and type: no I, L, O, U.
enum Crockford {
  static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

  /// The character of the bits from `5 × index` on.
  static func character(_ index: Int, of bytes: Span<UInt8>) -> UInt8 {
    var value = 0
    for bit in index * 5..<index * 5 + 5 {
      value = value << 1 | Int(bytes[bit / 8] >> (7 - bit % 8)) & 1
    }
    return alphabet[value]
  }

  /// The first `5 × characters` bits of `bytes`, which are not secret.
  static func encode(_ bytes: Span<UInt8>, characters: Int) -> [UInt8] {
    (0..<characters).map { character($0, of: bytes) }
  }

  /// The value of a typed character; O is 0, I and L are 1, case does not count.
  static func value(_ character: UInt8) -> Int? {
    let upper = (0x61...0x7A).contains(character) ? character - 0x20 : character
    switch upper {
    case UInt8(ascii: "O"): return 0
    case UInt8(ascii: "I"), UInt8(ascii: "L"): return 1
    default: return alphabet.firstIndex(of: upper)
    }
  }

  /// The characters of typed text, without spaces and hyphens.
  static func significant(_ text: Span<UInt8>) -> [Int] {
    text.indices.filter { ![0x20, 0x09, 0x0D, 0x0A, UInt8(ascii: "-")].contains(text[$0]) }
  }
}

/// The recovery code: 20 random bytes that open the vault when the password is lost.
///
/// As the recovery kit shows it: 32 characters of the code and 4 of check, in nine groups of four.
public enum RecoveryCode {
  /// Bytes in a code.
  public static let count = 20
  private static let codeCharacters = 32
  private static let checkCharacters = 4
  private static let textBytes = 44

  /// A new random code.
  public static func make() -> SecretBytes { .random(count: count) }

  /// The code as the kit shows it, 44 ASCII bytes with hyphens.
  public static func text(of code: borrowing SecretBytes) -> SecretBytes {
    precondition(code.count == count)
    return SecretBytes(count: textBytes, in: .heap) { out in
      code.withBytes { code in
        for index in 0..<codeCharacters {
          out[index + index / 4] = Crockford.character(index, of: code)
        }
        out.write(check(code), at: textBytes - checkCharacters)
      }
      for index in stride(from: 4, to: textBytes, by: 5) { out[index] = UInt8(ascii: "-") }
    }
  }

  /// The code in typed text; hyphens, spaces, case, and O for 0, I or L for 1 do not count.
  ///
  /// - Throws: ``RecoveryCodeError`` for a wrong length, character or check.
  public static func parse(_ text: Span<UInt8>) throws(RecoveryCodeError) -> SecretBytes {
    let places = Crockford.significant(text)
    for place in places where Crockford.value(text[place]) == nil { throw .alphabet }
    guard places.count == codeCharacters + checkCharacters else { throw .length }
    let code = SecretBytes(count: count) { out in
      for (position, place) in places.prefix(codeCharacters).enumerated() {
        let value = Crockford.value(text[place]) ?? 0
        for bit in 0..<5 where value >> (4 - bit) & 1 == 1 {
          out[(position * 5 + bit) / 8] |= 0x80 >> UInt8((position * 5 + bit) % 8)
        }
      }
    }
    let expected = code.withBytes { check($0) }
    let typed = places.suffix(checkCharacters).map { Crockford.value(text[$0]) }
    guard expected.map({ Crockford.value($0) }) == typed else { throw .check }
    return code
  }

  /// `SHA-512("KF1-kit" ‖ code)`, its first 20 bits: catches a slip of the pen.
  private static func check(_ code: Span<UInt8>) -> [UInt8] {
    let digest = SecretBytes(count: SHA512.digestBytes, in: .heap) { out in
      var hasher = SHA512()
      hasher.update(Array("KF1-kit".utf8))
      hasher.update(code)
      hasher.finish(into: &out)
    }
    return digest.withBytes { Crockford.encode($0, characters: checkCharacters) }
  }
}

/// Why typed text is no recovery code.
public enum RecoveryCodeError: String, Error, Equatable, Sendable {
  /// A character that is not in Crockford's base32.
  case alphabet
  /// Not 36 characters.
  case length
  /// The last four characters do not fit the others: a slip of the pen.
  case check
}

/// The fingerprint of a vault's head, for people to compare (SPEC §8).
public func fingerprint(of point: HeadPoint, uid: ObjectID) -> String {
  let digest = SHA512.hash(
    Array("KF1-fp".utf8), uid.bytes, bigEndian(point.generation), bigEndian(point.seq),
    point.hash.bytes)
  let characters = Crockford.encode(digest.span, characters: 12)
  let groups = stride(from: 0, to: 12, by: 4).map {
    String(decoding: characters[$0..<$0 + 4], as: UTF8.self)
  }
  return "\(point.seq)-" + groups.joined(separator: "-")
}
