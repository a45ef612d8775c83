// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium

/// A password on its way through the steps of an account operation, wiped with its last user.
final class HeldPassword: Sendable {
  private let bytes: SecretBytes

  init(_ password: borrowing SecretBytes) {
    bytes = password.withBytes { SecretBytes(copying: $0) }
  }

  /// What OPAQUE and the local slot are fed; bound to the account and the server's pinned name.
  ///
  /// - Throws: `badInput` for what no password can be, or for names of another form.
  func credentials(_ account: ServerAccount) throws(JournalError) -> Credentials {
    do {
      return try Credentials(
        account: AccountName(account.name), server: ServerName(account.serverName),
        password: bytes)
    } catch {
      throw JournalError(error)
    }
  }

  /// Whether both are the same bytes.
  func matches(_ other: HeldPassword) -> Bool { bytes.matches(other.bytes) }

  /// - Throws: `badInput` for what no new password may be.
  func checkNew(_ account: ServerAccount) throws(JournalError) {
    do {
      _ = try PasswordInput(
        newPassword: bytes, account: AccountName(account.name),
        server: ServerName(account.serverName))
    } catch {
      throw JournalError(error)
    }
  }
}

extension JournalError {
  init(_ error: CredentialError) {
    self =
      switch error {
      case .accountName: .badInput("an account name has 3 to 64 of a-z 0-9 . _ -")
      case .serverName: .notAServer
      case .accountCode: .badInput("an account code has 25 letters and digits")
      case .passwordEmpty: .badInput("a password is not empty")
      case .passwordTooLong: .badInput("a password has at most 1,024 bytes")
      case .passwordNotText: .badInput("a password is text in UTF-8")
      case .passwordCharacter: .badInput("a character that cannot be in a password")
      }
  }

  init(_ error: KeyExchangeError) {
    self =
      switch error {
      case .malformed: .notAServer
      case .refused: .wrongPassword
      case .outOfMemory(let kibibytes): .outOfMemory(kibibytes: kibibytes)
      }
  }
}
