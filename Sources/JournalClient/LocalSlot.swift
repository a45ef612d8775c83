// SPDX-License-Identifier: Apache-2.0
import Foundation
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
///
/// The new one is written whole before the journal's state says that it counts, and takes the
/// present one's name after. A crash in between leaves it the only one that opens the journal, so
/// every account operation begins with ``settle(_:_:profiles:in:)``.
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

  /// The cost of the password that the present file was sealed with; `nil` where there is none.
  static func profile(in home: Home) throws(JournalError) -> UInt8? {
    guard let bytes = try home.read(home.slotFile, limit: LocalFile.count) else { return nil }
    return try? LocalFile(bytes).profile
  }

  /// What opening both files with a password showed.
  struct Opened {
    let key: HeldKey
    /// The new file's bytes, where it holds the key and the present one is of no use.
    let successor: [UInt8]?
  }

  /// The key that the journal is sealed under, from whichever of the two files the password opens.
  ///
  /// `isWanted` tells that key from others.
  ///
  /// - Throws: `wrongPassword`; `keysChanged` where it opens other keys alone; `damagedStore` where
  ///   a file is none; `outOfMemory`.
  static func open(
    password: HeldPassword, _ state: JournalState, profiles: [Profile], in home: Home,
    where isWanted: (borrowing VaultKey) -> Bool
  ) async throws(JournalError) -> Opened {
    let present = try await read(home.slotFile, password, state, profiles, home, isWanted)
    if case .wanted(let key, _) = present { return Opened(key: key, successor: nil) }
    let new = try await read(home.newSlotFile, password, state, profiles, home, isWanted)
    if case .wanted(let key, let bytes) = new {
      // With another password the present one may well open: a password change is under way.
      let isInDoubt = if case .refused = present { !state.step.isBeforeAccount } else { false }
      return Opened(key: key, successor: isInDoubt ? nil : bytes)
    }
    switch (present, new) {
    case (.other, _), (_, .other): throw .keysChanged
    case (.refused, _), (_, .refused): throw .wrongPassword
    case (.damaged, _), (_, .damaged): throw .damagedStore
    default: throw .wrongPassword
    }
  }

  /// Ends what a crash left of writing a slot: where the password opens the journal by the new file
  /// and not by the present one, that is the present one from now on.
  ///
  /// For whoever holds the sync lock. A password that opens neither is not this function's concern,
  /// except while the account is being made: what goes on then must open this device too.
  ///
  /// - Throws: `wrongPassword` and its like then.
  static func settle(
    _ password: HeldPassword, _ state: JournalState, profiles: [Profile], in home: Home
  ) async throws(JournalError) {
    let isNeeded = state.step.isBeforeAccount && !state.opensByFile
    guard isNeeded || state.account != nil && home.has(home.newSlotFile) else { return }
    for url in [home.slotFile, home.newSlotFile] {
      let found = try await read(url, password, state, profiles, home, { state.fits($0) })
      guard case .wanted = found else { continue }
      if url == home.newSlotFile { try adoptNew(in: home) }
      return
    }
    if isNeeded { throw .wrongPassword }
  }

  private enum Reading {
    case absent, damaged, refused, other
    case wanted(HeldKey, [UInt8])
  }

  private static func read(
    _ url: URL, _ password: HeldPassword, _ state: JournalState, _ profiles: [Profile],
    _ home: Home, _ isWanted: (borrowing VaultKey) -> Bool
  ) async throws(JournalError) -> Reading {
    guard let account = state.account else { throw .encryptionOff }
    guard let bytes = try home.read(url, limit: LocalFile.count) else { return .absent }
    guard let file = try? LocalFile(bytes), file.device == state.device,
      let profile = profiles.first(where: { $0.id == file.profile })
    else { return .damaged }
    guard file.uid == state.uid else { return .other }
    let key = try await Keys.stretch { () throws(JournalError) -> HeldKey? in
      let stretched = try stretch(password, account, profile, file.salt)
      guard let slot = try? file.open(stretched: stretched) else { return nil }
      return HeldKey(copying: slot.key)
    }
    guard let key else { return .refused }
    return isWanted(key.key) ? .wanted(key, bytes) : .other
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
