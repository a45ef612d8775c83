// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// The optional second secret of an account: 25 characters of Crockford's base32, 125 bits.
public struct AccountCode: ~Copyable, Sendable {
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
  private static let characters = 25

  let secret: SecretBytes

  /// Reads a code as typed: spaces and hyphens are dropped, lower case is folded, O is 0, I and L
  /// are 1.
  ///
  /// - Throws: ``CredentialError/accountCode``.
  public init(typed: borrowing SecretBytes) throws(CredentialError) {
    secret = try typed.withBytes { (typed) throws(CredentialError) in
      try SecretBytes(count: Self.characters) { (out) throws(CredentialError) in
        var count = 0
        for index in typed.indices where !Self.isSeparator(typed[index]) {
          guard count < Self.characters, let character = Self.canonical(typed[index]) else {
            throw .accountCode
          }
          out[count] = character
          count += 1
        }
        guard count == Self.characters else { throw .accountCode }
      }
    }
  }

  /// A new code.
  public static func make() -> AccountCode {
    let random = SecretBytes.random(count: characters, in: .heap)
    return random.withBytes { random in
      AccountCode(
        secret: SecretBytes(count: characters) { out in
          for index in random.indices { out[index] = alphabet[Int(random[index] & 31)] }
        })
    }
  }

  /// Lends the 25 ASCII characters, to be shown.
  ///
  /// - Throws: What `body` throws.
  public borrowing func withBytes<R: ~Copyable, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try secret.withBytes(body)
  }

  private init(secret: consuming SecretBytes) { self.secret = secret }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    [0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: "-")].contains(byte)
  }

  private static func canonical(_ byte: UInt8) -> UInt8? {
    let isLower = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    let upper = isLower ? byte - 0x20 : byte
    return switch upper {
    case UInt8(ascii: "O"): UInt8(ascii: "0")
    case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
    default: alphabet.contains(upper) ? upper : nil
    }
  }
}
