// SPDX-License-Identifier: Apache-2.0
import Foundation
public import Sodium

extension Journal {
  /// Whether a password is needed to unlock: encryption is on.
  public var needsPassword: Bool {
    let files = [home.slotFile, home.newSlotFile]
    return !keys.isUnlocked && files.contains { (try? $0.checkResourceIsReachable()) == true }
  }

  /// Unlocks with the account's password, offline, by this device's own slot.
  ///
  /// Takes as long as Argon2id does, off the cooperative pool. While a password change or a
  /// rotation is under way there are two slots; either's password will do, if its key is current.
  ///
  /// - Throws: `wrongPassword`, `outOfMemory`, `keysChanged`, `encryptionOff`.
  public func unlock(password: borrowing SecretBytes) async throws(JournalError) {
    let held = try await LocalSlot.open(
      password: HeldPassword(password), try state(), profiles: environment.profiles, in: home)
    try unlock(with: held.key)
  }
}
