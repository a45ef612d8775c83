// SPDX-License-Identifier: Apache-2.0
public import Foundation
import LibPQ
import Synchronization
public import VaultProtocol

extension PostgresStore {
  /// Deletes the account of a name by the operator's will.
  public func resetAccount(
    named name: NameKey, certificateHash: CertificateHash, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> UserID? {
    guard let user = try await account(named: name)?.user else { return nil }
    let locks = Statement.lock(user)
    let reading =
      locks + [
        VaultState.statement(user), Deletion.statement(user),
        PostgresEraser.count(user, deleter: nil, now: now),
      ]
    let isErased = try await transaction(of: user, reading) {
      (rows) throws(StoreError) -> (Bool, [Statement]) in
      // Somebody else may have deleted the account since it was looked up.
      guard !rows[0].isEmpty else { return (false, []) }
      var eraser = PostgresEraser(
        user: user, deleter: nil, request: .reset(certificateHash), policy: policy, now: now)
      if let vault = try VaultState(ofAccount: rows[locks.count], policy) {
        _ = try eraser.erase(vault, counted: rows[locks.count + 2], receipt: receipt)
      } else {
        eraser.eraseAccount(generation: try Deletion(last: rows[locks.count + 1]).generation)
      }
      return (true, eraser.writing)
    }
    isVacuumDue.withLock { $0 = true }
    notices.moved(user)
    return isErased ? user : nil
  }
}
