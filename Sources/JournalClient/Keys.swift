// SPDX-License-Identifier: Apache-2.0
import Dispatch
public import KeyFlow
import Sodium
import Synchronization

/// The one owner of a journal's unlocked keys in a process.
///
/// Locked, or unlocked with one vault's keyring. Whoever works with the keys borrows them for as
/// long as the work takes; ``lock()`` wipes them when the last such work has ended.
public final class Keys: Sendable {
  private let current = Mutex<UnlockedKeys?>(nil)

  /// Locked keys.
  public init() {}

  /// Takes the keys of vault `uid`; those from before are wiped.
  public func unlock(with keyring: consuming Keyring, uid: ObjectID) {
    let keys = UnlockedKeys(keyring: keyring, uid: uid)
    current.withLock { $0 = keys }
  }

  /// Wipes the keys.
  public func lock() {
    current.withLock { $0 = nil }
  }

  /// Whether there are keys.
  public var isUnlocked: Bool { current.withLock { $0 != nil } }

  /// The keys, to work with.
  ///
  /// - Throws: `locked`.
  func unlocked() throws(JournalError) -> UnlockedKeys {
    guard let keys = current.withLock({ $0 }) else { throw .locked }
    return keys
  }

  /// Lends the current key, to hand it to an agent.
  ///
  /// - Throws: `locked`, and what `body` throws.
  public func withCurrentKey<R: ~Copyable>(
    _ body: (borrowing VaultKey) throws(JournalError) -> R
  ) throws(JournalError) -> R {
    let key = try unlocked().keyring.currentKey()
    return try body(key)
  }

  private static let stretching = DispatchQueue(label: "journal.stretching")

  /// Runs `work`, which takes long and much memory, off the cooperative pool and one at a time in
  /// the process: Argon2id.
  ///
  /// - Throws: What `work` throws.
  static func stretch<R: Sendable>(
    _ work: @escaping @Sendable () throws(JournalError) -> R
  ) async throws(JournalError) -> R {
    let result: Result<R, JournalError> = await withCheckedContinuation { continuation in
      stretching.async {
        do throws(JournalError) {
          continuation.resume(returning: .success(try work()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}

/// A vault's keys while they are in memory; wiped when the last user lets go.
final class UnlockedKeys: Sendable {
  let keyring: Keyring
  let uid: ObjectID
  /// The current key's id, to compare with the journal's.
  let id: KeyID
  /// The catalog as this process last saw it; it goes when the keys go.
  let catalog = Mutex<Catalog?>(nil)
  /// Search text that this process has opened, by its item's oid.
  let texts = Mutex<[ObjectID: Plaintext]>([:])

  init(keyring: consuming Keyring, uid: ObjectID) {
    id = keyring.currentKey().id(in: uid)
    self.keyring = keyring
    self.uid = uid
  }
}
