// SPDX-License-Identifier: Apache-2.0
import VaultProtocol

/// On what ground the keys are changed, and so what must change with them.
enum KeysGround: Equatable {
  /// Nothing: the login is older. What was done before is answered again, and nothing is done.
  case oldLogin
  /// The password, given in the last 5 minutes.
  case freshLogin
  /// The recovery kit, or a start-over that is due: what was lost may have been found by another, so
  /// nothing of it must open what is written from now on.
  case lostSecret
}

extension KeyringChange {
  /// What is wrong with the change's epoch, in a copy that goes on; a rotation makes the next epoch
  /// and brings a new kit, since the old one's slot holds a key of an older epoch.
  func rotationFault(on vault: VaultState, _ ground: KeysGround) -> CommitFault? {
    guard let commit else { return nil }
    let rises = commit.epoch > vault.epoch
    if ground == .lostSecret, !rises, case .unchanged = condition { return .fieldValue("epoch") }
    if rises, case .unchanged = condition, commit.epoch - vault.epoch > 1 {
      return .fieldValue("epoch")
    }
    return rises && recovery == nil ? .fieldValue("recovery_slot") : nil
  }
}

extension Revision {
  /// The epoch in the blob's header, in the clear like all of it (SPEC §6).
  var epoch: UInt32 {
    blob.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Whether this is a record of an older epoch, `bytes` long, that is only sealed anew.
  ///
  /// That must not fail for quota. By how much it may grow is bounded: an eighth, and 512 bytes.
  func reseals(epoch old: UInt32, bytes: Int, in present: UInt32) -> Bool {
    old < present && epoch == present && blob.count <= bytes + bytes / 8 + 512
  }
}
