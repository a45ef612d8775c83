// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium

/// A recovery code on its way through the steps of a recovery, wiped with its last user.
final class HeldCode: Sendable {
  private let code: SecretBytes

  /// The code in what was typed.
  ///
  /// - Throws: `badCode`.
  init(typed: borrowing SecretBytes) throws(JournalError) {
    do throws(RecoveryCodeError) {
      code = try typed.withBytes { (text) throws(RecoveryCodeError) in
        try RecoveryCode.parse(text)
      }
    } catch {
      throw .badCode(error)
    }
  }

  /// The key of the recovery slot of account `uid`.
  func slotKey(_ uid: ObjectID) -> SecretBytes { SlotKey.recovery(code, uid: uid) }

  /// The key whose public half the server keeps of account `uid`.
  func signingKey(_ uid: ObjectID) -> Ed25519.SigningKey {
    Ed25519.SigningKey(seed: SlotKey.recoverySeed(code, uid: uid))
  }
}
