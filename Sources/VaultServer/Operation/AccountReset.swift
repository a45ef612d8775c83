// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
public import VaultProtocol

/// The operator's last help for who has lost password, kit and every session: the account of a name is
/// deleted, so that the name is free for a new one.
public enum AccountReset {
  /// Deletes the account called `name` with all that it stored, and signs a receipt of it.
  ///
  /// There is no certificate, since only the owner's key makes one: the account's devices learn of it,
  /// see that it was not the owner's act, and keep what they have.
  ///
  /// - Returns: The account's id; nothing where no account has that name.
  /// - Throws: What the store throws.
  public static func run(
    _ name: String, store: any VaultStore, secrets: ServerSecrets, now: Timestamp
  ) async throws(StoreError) -> UserID? {
    guard let key = secrets.nameKey(ofAccount: name),
      let digest = try? DeletionReceipt.certificateHash(of: []), let none = CertificateHash(digest)
    else { return nil }
    return try await store.resetAccount(
      named: key, certificateHash: none, now: now, receipt: secrets.receipt)
  }
}
