// SPDX-License-Identifier: Apache-2.0

/// Every size and count of the contract, in one place; announced by `GET /v1/server`.
///
/// They count decoded blob bytes.
public enum Limits {
  /// The largest blob: 1 MiB of plaintext, padded and sealed.
  public static let blobBytes = 1_081_444
  /// The smallest blob: one 512-byte bucket, sealed.
  public static let smallestBlobBytes = 612
  /// Records in one commit.
  public static let commitRecords = 1_000
  /// Blob bytes in one commit; a single blob always fits.
  public static let commitBytes = 4 << 20
  /// Blob bytes in one page of the feed, or one answer of `records/fetch`.
  public static let pageBytes = 4 << 20
  /// Rows in one `records/fetch`.
  public static let fetchRecords = 1_000
  /// The longest wait of `GET /v1/changes`, in seconds.
  public static let waitSeconds = 55
  /// Blob bytes a user may keep, unless the operator says otherwise.
  public static let quotaBytes = 1 << 30
  /// Records a user may keep, unless the operator says otherwise.
  public static let quotaRecords = 100_000
  /// Seconds after its OPAQUE login in which a session counts as fresh.
  public static let freshSeconds = 300
  /// Seconds between the two steps of a login.
  public static let loginSeconds = 60
  /// Seconds for which the first nonce of a recovery is good.
  public static let recoverySeconds = 600
  /// Seconds for which the second nonce of a recovery is good: a password has to be chosen meanwhile.
  public static let replaceSeconds = 1_800
  /// Seconds from the wish to start over until it takes effect: 72 hours.
  public static let startOverSeconds = 259_200
  /// Days a session lives after its last use.
  public static let sessionDays = 90
  /// The largest sealed device label.
  public static let labelBytes = 4_096
  /// The largest keyring blob.
  public static let keyringBytes = 1 << 16
}
