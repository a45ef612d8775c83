// SPDX-License-Identifier: Apache-2.0

/// The canonical name of an account: 3 to 64 characters of `[a-z0-9._-]`, never changed.
public struct AccountName: Hashable, Sendable {
  /// The name's characters.
  public let text: String

  /// Checks `text`; nothing is folded or trimmed.
  ///
  /// - Throws: ``CredentialError/accountName``.
  public init(_ text: String) throws(CredentialError) {
    guard (3...64).contains(text.utf8.count), text.utf8.allSatisfy(isNameByte) else {
      throw .accountName
    }
    self.text = text
  }

  /// The name in ASCII.
  public var bytes: [UInt8] { Array(text.utf8) }

  /// OPAQUE's credential identifier, 32 bytes: constant per name, so that neither a registration
  /// nor a password change shows in the OPRF key.
  package var credentialIdentifier: [UInt8] {
    hash32(Array("KF1-cid".utf8) + lp16(bytes))
  }
}

/// The name of a server, fixed at its first start and independent of its URL: 1 to 255 characters
/// of `[a-z0-9._:-]`.
public struct ServerName: Hashable, Sendable {
  /// The name's characters.
  public let text: String

  /// Checks `text`.
  ///
  /// - Throws: ``CredentialError/serverName``.
  public init(_ text: String) throws(CredentialError) {
    let isServerByte = { (byte: UInt8) in isNameByte(byte) || byte == UInt8(ascii: ":") }
    guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy(isServerByte) else {
      throw .serverName
    }
    self.text = text
  }

  /// The name in ASCII.
  public var bytes: [UInt8] { Array(text.utf8) }
}

/// What is wrong with something that a person typed; never the thing itself.
public enum CredentialError: Error, Equatable {
  /// Not 3 to 64 characters of `[a-z0-9._-]`.
  case accountName
  /// Not 1 to 255 characters of `[a-z0-9._:-]`.
  case serverName
  /// Not 25 characters of Crockford's base32.
  case accountCode
  /// Empty.
  case passwordEmpty
  /// More than 1,024 bytes in its normal form; nothing is ever cut off.
  case passwordTooLong
  /// Not UTF-8.
  case passwordNotText
  /// A new password holds a character that RFC 8264 keeps out of passwords: a control character, an invisible
  /// one, one that is not assigned yet, or one in a place where it may not stand.
  case passwordCharacter
}

private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
    true
  default: false
  }
}
