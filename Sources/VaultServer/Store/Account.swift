// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// What the server keeps of a password: the OPAQUE record and how to use it.
public struct Credential: Equatable, Sendable {
  /// Which of the server's OPAQUE secrets the record belongs to.
  public var secretsVersion: UInt8
  /// The Argon2id profile that the client stretched with; part of the login's transcript.
  public var profile: UInt8
  /// The OPAQUE registration record, 192 bytes.
  public var record: Data

  /// A record of 192 bytes with the version of its secrets and its profile.
  public init(secretsVersion: UInt8, profile: UInt8, record: Data) {
    self.secretsVersion = secretsVersion
    self.profile = profile
    self.record = record
  }
}

/// An account to be, whole: created in one transaction or not at all.
public struct NewAccount: Equatable, Sendable {
  /// The account's id, drawn by the client.
  public var user: UserID
  /// The name under the server's keyed hash.
  public var nameKey: NameKey
  /// The hash of the request, by which a repeat is known.
  public var registrationHash: RequestHash
  /// The OPAQUE record.
  public var credential: Credential
  /// Both slots, recovery public key and keyring.
  public var keys: KeyMaterial
  /// The generation the client begins with: 1, or its last pinned one + 1; at least 1.
  public var generation: UInt32
  /// The epoch of the first vault key.
  public var epoch: UInt32
  /// The first commit's id.
  public var commitID: CommitID
  /// The first head's blob, seq 1.
  public var head: Data

  /// An account with everything that it needs to begin.
  public init(
    user: UserID, nameKey: NameKey, registrationHash: RequestHash, credential: Credential,
    keys: KeyMaterial, generation: UInt32, epoch: UInt32, commitID: CommitID, head: Data
  ) {
    self.user = user
    self.nameKey = nameKey
    self.registrationHash = registrationHash
    self.credential = credential
    self.keys = keys
    self.generation = generation
    self.epoch = epoch
    self.commitID = commitID
    self.head = head
  }
}

extension NewAccount {
  /// A credential version to begin with: 1…2^62, which leaves room to count on.
  static func firstVersion() -> UInt64 { .random(in: 1...(1 << 62)) }
}

/// The answer to ``VaultStore/createAccount(_:now:)``.
public enum AccountOutcome: Equatable, Sendable {
  /// The account is there, by this request or by an earlier one of the same user and hash.
  case created
  /// The name belongs to another account, or the id is in use with another registration.
  case taken
  /// The id's vault was deleted in this or a later generation: begin with a greater one.
  case generationUsed(last: UInt32)
  /// A blob, a size or a number is outside its limits.
  case refused(CommitFault)
}

/// What a login needs to know of an account.
public struct Account: Equatable, Sendable {
  /// The account's id.
  public var user: UserID
  /// The OPAQUE record.
  public var credential: Credential
  /// The hash of the request that made the account.
  public var registrationHash: RequestHash
  /// Changes with the credential; a login begun under another number makes no session.
  ///
  /// Drawn at random for a new account, so that none begins where a deleted one of its id stood.
  public var credentialVersion: UInt64

  /// An account as stored.
  public init(
    user: UserID, credential: Credential, registrationHash: RequestHash, credentialVersion: UInt64
  ) {
    self.user = user
    self.registrationHash = registrationHash
    self.credential = credential
    self.credentialVersion = credentialVersion
  }
}
