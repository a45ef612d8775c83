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
  /// rotation is under way there are two slots; either's password will do, if its key is current. A
  /// slot that a crash left under its second name gets its own.
  ///
  /// - Throws: `wrongPassword`, `outOfMemory`, `keysChanged`, `encryptionOff`.
  public func unlock(password: borrowing SecretBytes) async throws(JournalError) {
    let state = try state()
    let opened = try await LocalSlot.open(
      password: HeldPassword(password), state, profiles: environment.profiles, in: home,
      where: { state.fits($0) })
    try unlock(with: opened.key.key)
    // Whoever holds the lock instead settles it, or is writing that very file.
    guard let successor = opened.successor, let lock = try? SyncLock(home) else { return }
    if try home.read(home.newSlotFile, limit: successor.count) == successor,
      try self.state().keyID == state.keyID
    {
      try LocalSlot.adoptNew(in: home)
    }
    withExtendedLifetime(lock) {}
  }
}
