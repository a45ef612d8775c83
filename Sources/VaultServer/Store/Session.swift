// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// Who asks, as claimed by a bearer token; the store checks it in the transaction of the request.
public struct Caller: Hashable, Sendable {
  /// The user that the token names.
  public var user: UserID
  /// The session that the token names.
  public var session: SessionID
  /// The hash of the token's secret part.
  public var tokenHash: TokenHash

  /// A claim to be checked.
  public init(user: UserID, session: SessionID, tokenHash: TokenHash) {
    self.user = user
    self.session = session
    self.tokenHash = tokenHash
  }
}

/// A session to be made after a login.
public struct NewSession: Equatable, Sendable {
  /// The account, the number drawn with the login's first answer, and the token's hash.
  public var caller: Caller
  /// ``Account/credentialVersion`` as the login began.
  public var credentialVersion: UInt64

  /// A session for `caller`, from a login under this credential.
  public init(caller: Caller, credentialVersion: UInt64) {
    self.caller = caller
    self.credentialVersion = credentialVersion
  }
}

/// The answer to ``VaultStore/createSession(_:now:)``.
public enum SessionOutcome: Equatable, Sendable {
  /// The session, by this request or an equal earlier one, with what a device needs to begin.
  case opened(Session, VaultState, Keyring)
  /// The session; but the vault was deleted and none was begun since.
  case openedWithoutVault(Session, Deletion)
  /// The account is gone, its credential changed since the login began, or the number is in use
  /// with another token: log in again.
  case stale
}

/// A session as its user may see it.
public struct Session: Equatable, Sendable {
  /// Its number.
  public var id: SessionID
  /// When the login happened: what freshness is measured from.
  public var createdAt: Timestamp
  /// When it was last used, to within a day.
  public var usedAt: Timestamp
  /// When it ends unless it is used; slides.
  public var expiresAt: Timestamp
  /// The device's label, sealed, if it has set one.
  public var label: Data?

  /// A session as stored.
  public init(
    id: SessionID, createdAt: Timestamp, usedAt: Timestamp, expiresAt: Timestamp,
    label: Data?
  ) {
    self.id = id
    self.createdAt = createdAt
    self.usedAt = usedAt
    self.expiresAt = expiresAt
    self.label = label
  }
}
