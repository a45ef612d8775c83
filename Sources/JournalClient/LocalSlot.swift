// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import KeyFlow
import Sodium

/// The vault key in a class, so that it can be handed from one thread to another.
final class HeldKey: Sendable {
  let key: VaultKey

  init(_ key: consuming VaultKey) { self.key = key }

  /// A key of its own with the same bytes.
  init?(copying other: borrowing VaultKey) {
    let epoch = other.epoch
    let copy = other.withBytes { VaultKey(epoch: epoch, bytes: $0) }
    guard let copy else { return nil }
    key = copy
  }
}

/// This device's own slot: `vault.slot`, and `vault.slot.new` while it is being replaced.
enum LocalSlot {
  /// Seals `key` under the password, as the durable file beside the present one.
  static func writeNew(
    _ key: HeldKey, password: HeldPassword, account: ServerAccount, profile: Profile,
    base: HeadPoint, uid: ObjectID, device: ObjectID, in home: Home
  ) async throws(JournalError) {
    let file = try await Keys.stretch { () throws(JournalError) -> LocalFile in
      let salt = randomBytes(16)
      let stretched = try stretch(password, account, profile, salt)
      return LocalFile(
        sealing: key.key, profile: profile.id, base: base, uid: uid, device: device, salt: salt,
        stretched: stretched)
    }
    try home.write(file.bytes, to: home.newSlotFile)
  }

  /// Puts the new file in the place of the present one.
  static func adoptNew(in home: Home) throws(JournalError) {
    try home.adopt(home.newSlotFile, as: home.slotFile)
  }

  /// Puts the new file, if there is one, in the place of the present one.
  static func adoptAnyNew(in home: Home) throws(JournalError) {
    guard try home.read(home.newSlotFile, limit: LocalFile.count) != nil else { return }
    try adoptNew(in: home)
  }

  /// The key of `epoch` (the journal's, unless told otherwise), from whichever of the two files the
  /// password opens.
  ///
  /// - Throws: `wrongPassword`; `keysChanged` where it opens another epoch's alone; `damagedStore`
  ///   where a file is none; `outOfMemory`.
  static func open(
    password: HeldPassword, _ state: JournalState, epoch: UInt32? = nil, profiles: [Profile],
    in home: Home
  ) async throws(JournalError) -> HeldKey {
    guard let account = state.account else { throw .encryptionOff }
    var failure: JournalError?
    for url in [home.slotFile, home.newSlotFile] {
      guard let bytes = try home.read(url, limit: LocalFile.count) else { continue }
      guard let file = try? LocalFile(bytes), file.device == state.device,
        let profile = profiles.first(where: { $0.id == file.profile })
      else {
        failure = .damagedStore
        continue
      }
      let key = try await Keys.stretch { () throws(JournalError) -> HeldKey? in
        let stretched = try stretch(password, account, profile, file.salt)
        guard let slot = try? file.open(stretched: stretched) else { return nil }
        return HeldKey(copying: slot.key)
      }
      if let key, key.key.epoch == epoch ?? state.epoch { return key }
      failure = key == nil ? nil : .keysChanged
    }
    throw failure ?? .wrongPassword
  }

  private static func stretch(
    _ password: HeldPassword, _ account: ServerAccount, _ profile: Profile, _ salt: [UInt8]
  ) throws(JournalError) -> SecretBytes {
    let credentials = try password.credentials(account)
    do {
      return try credentials.input.stretch(profile, salt: salt)
    } catch {
      throw JournalError(error)
    }
  }
}
