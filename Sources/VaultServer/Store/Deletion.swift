// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// What is left of a deleted cloud copy for the other devices.
public struct Deletion: Equatable, Sendable {
  /// The generation that was deleted.
  public var generation: UInt32
  /// Its last head's seq.
  public var lastSeq: UInt64
  /// When it was deleted.
  public var at: Timestamp
  /// The deletion certificates, one for each epoch in the keyring; none where the operator reset the
  /// account.
  public var certificates: [Certificate]
  /// The hash over them, as given with the request.
  public var certificateHash: CertificateHash
  /// The receipt that the deleting request got.
  public var receipt: Data

  /// A deletion as stored.
  public init(
    generation: UInt32, lastSeq: UInt64, at: Timestamp, certificates: [Certificate],
    certificateHash: CertificateHash, receipt: Data
  ) {
    self.generation = generation
    self.lastSeq = lastSeq
    self.at = at
    self.certificates = certificates
    self.certificateHash = certificateHash
    self.receipt = receipt
  }
}

/// The owner's word that the vault is deleted, sealed under one epoch's key.
public struct Certificate: Equatable, Sendable {
  /// The epoch of the key.
  public var epoch: UInt32
  /// The sealed certificate.
  public var blob: Data

  /// A certificate for the devices that hold the epoch's key.
  public init(epoch: UInt32, blob: Data) {
    self.epoch = epoch
    self.blob = blob
  }
}

/// The owner's wish to delete the cloud copy.
public struct DeletionRequest: Equatable, Sendable {
  /// The generation of the head that the client has verified.
  public var generation: UInt32
  /// That head's hash: another present head is a conflict.
  public var head: BlobHash
  /// The deletion certificates, one for each epoch in the keyring: 1…1,000 of them.
  public var certificates: [Certificate]
  /// The hash over them.
  public var certificateHash: CertificateHash
  /// Whether the account goes too: OPAQUE record, name, sessions.
  public var withAccount: Bool

  /// A deletion to be made.
  public init(
    generation: UInt32, head: BlobHash, certificates: [Certificate],
    certificateHash: CertificateHash,
    withAccount: Bool
  ) {
    self.generation = generation
    self.head = head
    self.certificates = certificates
    self.certificateHash = certificateHash
    self.withAccount = withAccount
  }
}

extension DeletionRequest {
  /// The operator's: of whatever there is, with the account, and without anybody's certificate.
  static func reset(_ certificateHash: CertificateHash) -> DeletionRequest {
    DeletionRequest(
      generation: 0, head: BlobHash(of: Data()), certificates: [],
      certificateHash: certificateHash, withAccount: true)
  }
}

/// What a deletion removed: what the receipt is made from.
public struct DeletionSummary: Equatable, Sendable {
  /// The account.
  public var user: UserID
  /// The generation that was deleted.
  public var generation: UInt32
  /// Its last head's seq.
  public var lastSeq: UInt64
  /// When it was deleted.
  public var at: Timestamp
  /// The hash over the certificates.
  public var certificateHash: CertificateHash
  /// Current records.
  public var records: Int
  /// Older revisions.
  public var revisions: Int
  /// Bytes of the blobs of both.
  public var bytes: Int
  /// Commits, each with its head.
  public var commits: Int
  /// Keyrings: 1, with its slots and recovery public key.
  public var keyrings: Int
  /// Other sessions, from now on good for fetching the certificate only.
  public var sessions: Int
  /// Whether the account went too.
  public var withAccount: Bool

  /// What was counted in the deleting transaction.
  public init(
    user: UserID, generation: UInt32, lastSeq: UInt64, at: Timestamp,
    certificateHash: CertificateHash, records: Int, revisions: Int, bytes: Int, commits: Int,
    keyrings: Int, sessions: Int, withAccount: Bool
  ) {
    self.user = user
    self.generation = generation
    self.lastSeq = lastSeq
    self.at = at
    self.certificateHash = certificateHash
    self.records = records
    self.revisions = revisions
    self.bytes = bytes
    self.commits = commits
    self.keyrings = keyrings
    self.sessions = sessions
    self.withAccount = withAccount
  }
}

/// The answer to ``VaultStore/deleteVault(_:caller:freshAfter:now:receipt:)``.
public enum DeletionOutcome: Equatable, Sendable {
  /// All is gone; the receipt made at the first such request.
  case deleted(receipt: Data)
  /// A commit came in between (412): the present vault.
  case conflict(VaultState)
  /// It can never be accepted as it is.
  case refused(CommitFault)
}
