// SPDX-License-Identifier: Apache-2.0

/// Why a store did not do what it was asked; nothing was changed.
///
/// What is an expected answer to one method (a conflict, a name already taken) is that method's
/// outcome instead. No case carries anything of a user's but his own deletion certificate.
public enum StoreError: Error, Equatable, Sendable {
  /// No such session for this user, or it was revoked, or it expired, or its token is another.
  case unauthorized
  /// The session is good, but its login is older than the request demands.
  case notFresh
  /// The vault was deleted, or this session is from before a deletion: 410 with the certificates.
  case gone(Deletion)
  /// The database cannot be used now (full disk, lost connection, busy): try again later.
  case unavailable(Fault)
  /// The database holds what this program did not write: an operator must look.
  case damaged(String)

  /// What kept the database from answering.
  public enum Fault: Equatable, Sendable {
    /// The disk, or the space given to the database, is full.
    case full
    /// Reading or writing failed.
    case inputOutput
    /// The database was locked for too long.
    case busy
    /// The connection was refused or lost.
    case connection
    /// The store was closed.
    case closed
    /// Another failure, by the database's own code, never its text.
    case other(code: String)
  }
}
