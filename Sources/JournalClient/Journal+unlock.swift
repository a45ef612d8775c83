// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
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
  /// - Throws: `wrongPassword`, `outOfMemory`, `keysChanged`, `noJournal` where encryption is off.
  public func unlock(password: borrowing SecretBytes) async throws(JournalError) {
    let state = try state()
    var failure = JournalError.noJournal
    for file in [home.slotFile, home.newSlotFile] {
      guard let bytes = try home.read(file, limit: LocalFile.count) else { continue }
      let slot: LocalFile
      do {
        slot = try LocalFile(bytes)
      } catch {
        failure = .damagedStore
        continue
      }
      do {
        let stretched = try await stretched(password, for: slot, of: state)
        let opened = try Self.open(slot, stretched)
        return try unlock(with: opened.key)
      } catch {
        failure = error
        // Only a slot that this password does not open, or of another epoch, sends us to the next.
        guard error == .wrongPassword || error == .keysChanged else { throw error }
      }
    }
    throw failure
  }

  /// What Argon2id makes of `password` for this device's slot.
  private func stretched(
    _ password: borrowing SecretBytes, for slot: LocalFile, of state: JournalState
  ) async throws(JournalError) -> Plaintext {
    guard let account = state.account, let profile = Profile(id: slot.profile) else {
      throw .damagedStore
    }
    let input: PasswordInput
    do {
      input = try PasswordInput(
        password: password, account: AccountName(account.name),
        server: ServerName(account.serverName))
    } catch {
      throw .wrongPassword
    }
    let salt = slot.salt
    return try await Keys.stretch { () throws(JournalError) -> Plaintext in
      do {
        return Plaintext(try input.stretch(profile, salt: salt))
      } catch {
        throw .outOfMemory(kibibytes: profile.cost.memoryKiB)
      }
    }
  }

  private static func open(
    _ slot: LocalFile, _ stretched: Plaintext
  ) throws(JournalError) -> Slot {
    do {
      return try slot.open(stretched: stretched.bytes)
    } catch {
      throw .wrongPassword
    }
  }
}
