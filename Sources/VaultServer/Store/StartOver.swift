// SPDX-License-Identifier: Apache-2.0
import VaultProtocol

/// A session's wish to set new credentials without the old ones, since password and kit are lost.
///
/// Until it is due, any login or refusal takes it back: whoever has the password is the owner.
public struct StartOver: Equatable, Sendable {
  /// The session that asked.
  public var session: SessionID
  /// When it asked.
  public var requestedAt: Timestamp

  /// A wish of `session`'s.
  public init(session: SessionID, requestedAt: Timestamp) {
    self.session = session
    self.requestedAt = requestedAt
  }

  /// When it takes effect.
  public var dueAt: Timestamp { requestedAt + .seconds(Limits.startOverSeconds) }

  /// Whether `session` may now do what else needs a fresh login.
  func admits(_ session: SessionID, now: Timestamp) -> Bool {
    session == self.session && dueAt <= now
  }
}
