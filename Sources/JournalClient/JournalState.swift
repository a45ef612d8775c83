// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// What a device knows of its journal without any key.
public struct JournalState: Equatable, Sendable {
  /// The vault; made with the journal, replaced by joining another one.
  public var uid: ObjectID
  /// This installation.
  public var device: ObjectID
  /// The epoch that new blobs are sealed under.
  public var epoch: UInt32
  /// The id of that epoch's key: epochs of a key file and of an account may bear one number.
  public var keyID: KeyID
  /// The newest head that this device verified; `nil` before the first.
  public var pin: HeadPoint?
  /// Where the feed goes on; opaque, empty at first.
  public var cursor: [UInt8]
  /// The account; `nil` while encryption is off.
  public var account: ServerAccount?
  /// What an account operation has done so far; empty when none is under way.
  public var accountStep: String
  /// When the last verified sync ended.
  public var syncedAt: Instant?
  /// When the last pull ended.
  public var pulledAt: Instant?
  /// The named state that the last sync ended in, until one ends well.
  public var syncFault: SyncFault?
  /// The epoch under which all records of the vault were last found to be sealed; any other than
  /// ``epoch`` says that a rotation may be left to finish.
  public var resealedEpoch: UInt32 = 0
  /// Somebody's wish to set another password without the present one, as the server last showed it.
  public var startOver: StartOverWish?
}

extension JournalState {
  /// Whether `keys` are those that new blobs are sealed under.
  func fits(_ keys: UnlockedKeys) -> Bool {
    uid == keys.uid && epoch == keys.keyring.epoch && keyID == keys.id
  }

  /// Whether `key` is the one that new blobs are sealed under.
  func fits(_ key: borrowing VaultKey) -> Bool {
    epoch == key.epoch && keyID == key.id(in: uid)
  }

  /// Makes `keys` those that new blobs are sealed under.
  mutating func take(_ keys: UnlockedKeys) {
    uid = keys.uid
    epoch = keys.keyring.epoch
    keyID = keys.id
  }
}

/// Where an account lives, and what a locked device must know to stretch its password.
public struct ServerAccount: Equatable, Sendable {
  /// The server's address; may change.
  public var url: String
  /// The server's name, pinned; part of the password's stretching.
  public var serverName: String
  /// The account's name.
  public var name: String
  /// The server's receipt key (Ed25519, 32 bytes), pinned.
  public var receiptKey: [UInt8]
  /// The server's OPAQUE key (ristretto255, 32 bytes), pinned: no later password goes to another.
  public var opaqueKey: [UInt8]

  /// An account of its parts.
  public init(
    url: String, serverName: String, name: String, receiptKey: [UInt8], opaqueKey: [UInt8]
  ) {
    self.url = url
    self.serverName = serverName
    self.name = name
    self.receiptKey = receiptKey
    self.opaqueKey = opaqueKey
  }
}
