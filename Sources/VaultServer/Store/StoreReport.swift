// SPDX-License-Identifier: Apache-2.0
public import VaultProtocol

/// One thing that `vaultd check` found wrong.
public struct StoreFault: Equatable, Sendable {
  /// The user whose data it is; nothing when it is the database's own.
  public var user: UserID?
  /// What is wrong: ids, numbers and hashes, never content.
  public var finding: String

  /// A finding.
  public init(user: UserID?, finding: String) {
    self.user = user
    self.finding = finding
  }
}

/// What `vaultd check` went through and found.
public struct CheckReport: Equatable, Sendable {
  /// Vaults looked at.
  public var vaults = 0
  /// Current records whose hash was computed anew.
  public var records = 0
  /// Older revisions whose hash was computed anew.
  public var revisions = 0
  /// Heads whose hash was computed anew.
  public var heads = 0
  /// What is wrong; empty when all is well.
  public var faults: [StoreFault] = []

  /// Nothing looked at yet.
  public init() {}
}

/// What one user takes, for `vaultd users`.
public struct UserSize: Equatable, Sendable {
  /// The user.
  public var user: UserID
  /// When the account was made.
  public var createdAt: Timestamp
  /// Whether there is a vault (it may be deleted).
  public var hasVault: Bool
  /// Current records.
  public var recordCount: Int
  /// Bytes of their blobs.
  public var bytes: Int
  /// Bytes of older revisions' blobs.
  public var historyBytes: Int
  /// Live sessions.
  public var sessions: Int

  /// A user's counts.
  public init(
    user: UserID, createdAt: Timestamp, hasVault: Bool, recordCount: Int, bytes: Int,
    historyBytes: Int, sessions: Int
  ) {
    self.user = user
    self.createdAt = createdAt
    self.hasVault = hasVault
    self.recordCount = recordCount
    self.bytes = bytes
    self.historyBytes = historyBytes
    self.sessions = sessions
  }
}
