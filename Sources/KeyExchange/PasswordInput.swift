// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// What OPAQUE and Argon2id are fed: a password in its normal form, with what it belongs to.
public struct PasswordInput: ~Copyable, Sendable {
  package let secret: SecretBytes

  /// The input of an account: OPAQUE takes it, and so does the local slot.
  ///
  /// - Parameters:
  ///   - password: In UTF-8, as typed.
  ///   - account: The account's name.
  ///   - server: The server's pinned name.
  ///   - code: The account code, where the account has one.
  /// - Throws: ``CredentialError`` when the password is none.
  public init(
    password: borrowing SecretBytes, account: AccountName, server: ServerName,
    code: borrowing AccountCode? = nil
  ) throws(CredentialError) {
    let password = try OpaqueString.enforce(password)
    let front = Array("KF1-PW".utf8) + lp16(server.bytes) + lp16(account.bytes)
    let both = password.withBytes { Self.append($0, to: front.span) }
    secret = both.withBytes { both in
      switch code {
      case .some(let code): code.secret.withBytes { Self.append($0, to: both) }
      case .none: Self.append(Span(), to: both)
      }
    }
  }

  /// The input of an account whose password is being chosen.
  ///
  /// - Throws: ``CredentialError``, also when the password holds a character that a new password
  ///   may not hold.
  public init(
    newPassword: borrowing SecretBytes, account: AccountName, server: ServerName,
    code: borrowing AccountCode? = nil
  ) throws(CredentialError) {
    try FreeformRules.check(OpaqueString.enforce(newPassword))
    try self.init(password: newPassword, account: account, server: server, code: code)
  }

  /// The input of an export's passphrase that is being chosen.
  ///
  /// - Throws: ``CredentialError``, also when the passphrase holds a character that a new one may
  ///   not hold.
  public init(newExportPassphrase: borrowing SecretBytes) throws(CredentialError) {
    try FreeformRules.check(OpaqueString.enforce(newExportPassphrase))
    try self.init(exportPassphrase: newExportPassphrase)
  }

  /// The input of an export's passphrase.
  ///
  /// - Throws: ``CredentialError`` when the passphrase is none.
  public init(exportPassphrase: borrowing SecretBytes) throws(CredentialError) {
    let passphrase = try OpaqueString.enforce(exportPassphrase)
    let front = Array("KF1-XP".utf8)
    secret = passphrase.withBytes { Self.append($0, to: front.span) }
  }

  /// 64 bytes under a profile and a 16-byte salt: the local slot's, an export's.
  ///
  /// Blocks the thread for 0.1 to 4 seconds; keep it off the cooperative pool, one at a time.
  ///
  /// - Throws: ``KeyExchangeError/outOfMemory(kibibytes:)``.
  public borrowing func stretch(
    _ profile: Profile, salt: [UInt8]
  ) throws(KeyExchangeError) -> SecretBytes {
    do {
      return try profile.derive(from: secret, salt: salt)
    } catch {
      throw KeyExchangeError(error)
    }
  }

  /// `front ‖ LP16(field)`.
  private static func append(_ field: Span<UInt8>, to front: Span<UInt8>) -> SecretBytes {
    SecretBytes(count: front.count + 2 + field.count) { out in
      out.write(front)
      out.write(lengthPrefix(field.count), at: front.count)
      out.write(field, at: front.count + 2)
    }
  }
}
