// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// One head of the chain: the client's sealed statement of the vault after a commit.
public struct Head: Equatable, Sendable {
  /// Its number in the generation; the first is 1.
  public var seq: UInt64
  /// The sealed statement.
  public var blob: Data
  /// The blob's hash.
  public var hash: BlobHash

  /// A head as stored.
  public init(seq: UInt64, blob: Data, hash: BlobHash) {
    self.seq = seq
    self.blob = blob
    self.hash = hash
  }
}

/// Where a vault stands.
public struct VaultState: Equatable, Sendable {
  /// How many times the cloud copy was begun.
  public var generation: UInt32
  /// The newest vault key's number.
  public var epoch: UInt32
  /// The newest head.
  public var head: Head
  /// Records, tombstones included (the server cannot tell).
  public var recordCount: Int
  /// Bytes of all current blobs: what the quota is measured by.
  public var bytes: Int
  /// Bytes of older revisions, outside the quota.
  public var historyBytes: Int
  /// The most that `bytes` may grow to.
  public var quotaBytes: Int
  /// The most that `recordCount` may grow to.
  public var quotaRecords: Int
  /// A wish to start over, pending or due: every device shows it, so that it can be refused.
  public var startOver: StartOver?

  /// A vault as stored.
  public init(
    generation: UInt32, epoch: UInt32, head: Head, recordCount: Int, bytes: Int,
    historyBytes: Int, quotaBytes: Int, quotaRecords: Int, startOver: StartOver? = nil
  ) {
    self.generation = generation
    self.epoch = epoch
    self.head = head
    self.recordCount = recordCount
    self.bytes = bytes
    self.historyBytes = historyBytes
    self.quotaBytes = quotaBytes
    self.quotaRecords = quotaRecords
    self.startOver = startOver
  }
}

/// A record's recovery slot and the key that proves its owner.
public struct RecoveryKit: Equatable, Sendable {
  /// The vault key sealed under the recovery code.
  public var slot: Data
  /// The Ed25519 public key derived from the recovery code, 32 bytes.
  public var publicKey: Data

  /// A recovery slot with its public key.
  public init(slot: Data, publicKey: Data) {
    self.slot = slot
    self.publicKey = publicKey
  }
}

/// Everything sealed that opens a vault, and the recovery public key.
public struct KeyMaterial: Equatable, Sendable {
  /// The vault key sealed under the password.
  public var passwordSlot: Data
  /// The vault key sealed under the recovery code, and the code's public key.
  public var recovery: RecoveryKit
  /// The sealed list of the older epochs' keys.
  public var keyring: Data

  /// Slots, keyring and recovery public key.
  public init(passwordSlot: Data, recovery: RecoveryKit, keyring: Data) {
    self.passwordSlot = passwordSlot
    self.recovery = recovery
    self.keyring = keyring
  }
}

/// A vault's key material with its `ETag`.
public struct Keyring: Equatable, Sendable {
  /// Slots, keyring and recovery public key.
  public var keys: KeyMaterial
  /// Changes whenever any of them does.
  public var tag: KeyringTag

  /// Key material as stored.
  public init(keys: KeyMaterial, tag: KeyringTag) {
    self.keys = keys
    self.tag = tag
  }
}
