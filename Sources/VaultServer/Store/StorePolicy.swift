// SPDX-License-Identifier: Apache-2.0
private import VaultProtocol

/// An operator's settings that a store keeps to.
public struct StorePolicy: Equatable, Sendable {
  /// Bytes of current blobs a user may hold; 1 GiB.
  public var quotaBytes = Limits.quotaBytes
  /// Records a user may hold; 100,000.
  public var quotaRecords = Limits.quotaRecords
  /// Older revisions of a record that are kept at any age; 20.
  public var historyCount = 20
  /// Age up to which all older revisions are kept, measured from when they were replaced; 30 days.
  public var historyAge: Duration = .seconds(30 * 86_400)
  /// Bytes of older revisions that a user may have; 1 GiB.
  ///
  /// Beyond, those that were replaced first go, however young they are.
  public var historyBytes = Limits.quotaBytes
  /// Deletions of a user whose certificates are kept; 8.
  ///
  /// Sessions from before older ones end.
  public var deletionCount = 8
  /// How long a session lives after its last use; 90 days.
  public var sessionLife: Duration = .seconds(Limits.sessionDays * 86_400)
  /// How long a login that made its session is remembered, so that it makes no other; not less than
  /// a login may last.
  public var loginLife: Duration = .seconds(2 * Limits.loginSeconds)
  /// Live sessions a user may have; 200.
  public var sessionCount = 200
  /// How old a session's recorded last use may grow before it is written again; 1 day.
  public var sessionSlide: Duration = .seconds(86_400)
  /// How long the certificate stays for the sessions of a deleted account; 90 days.
  public var deletedAccountLife: Duration = .seconds(90 * 86_400)

  /// The defaults.
  public init() {}
}
