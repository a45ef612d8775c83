// SPDX-License-Identifier: Apache-2.0
import Sodium

/// The purposes that `KeyFlow` derives keys for; `KeyExchange` has its own two (SPEC §3).
enum Label {
  static func seal(_ context: [UInt8]) -> Info { Info("seal", context: context) }
  static let slotPassword = Info("slot-password")
  static let slotRecovery = Info("slot-recovery")
  static func keyID(_ context: [UInt8]) -> Info { Info("key-id", context: context) }
  static let recoveryAuth = Info("recovery-auth")
  static func slotLocal(_ context: [UInt8]) -> Info { Info("slot-local", context: context) }
  static func slotExport(_ context: [UInt8]) -> Info { Info("slot-export", context: context) }
}
