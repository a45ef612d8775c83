// SPDX-License-Identifier: Apache-2.0
public import Foundation
import GRDB
public import VaultProtocol

extension SQLiteStore {
  /// Deletes the account of a name by the operator's will.
  public func resetAccount(
    named name: NameKey, certificateHash: CertificateHash, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> UserID? {
    let policy = policy
    let user = try await writer.run { db -> UserID? in
      guard
        let row = try db.row("SELECT user_id FROM accounts WHERE name_key = ?", [name])
      else { return nil }
      let user = try row.value(0, as: UserID.self)
      let eraser = SQLiteEraser(
        user: user, deleter: nil, request: .reset(certificateHash), policy: policy, now: now)
      if let vault = try VaultRow.fetch(user, policy, in: db) {
        _ = try eraser.erase(vault, receipt: receipt, in: db)
      } else {
        let last = try Deletion.last(of: user, in: db)
        try eraser.eraseAccount(generation: last.generation, in: db)
      }
      return user
    }
    if let user {
      signals.moved(user)
      await truncateLog()
    }
    return user
  }
}
