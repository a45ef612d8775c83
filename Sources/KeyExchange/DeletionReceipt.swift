// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// What a server claims to have deleted, to be signed with its receipt key.
public struct DeletionReceipt: Equatable, Sendable {
  /// The server.
  public let server: ServerName
  /// The user's id, 16 bytes.
  public let uid: [UInt8]
  /// The generation that ended.
  public let generation: UInt32
  /// The sequence number of its last head.
  public let lastSequence: UInt64
  /// Whether the account's name and password record went too.
  public let includesAccount: Bool
  /// How much went.
  public let counts: Counts
  /// When, in milliseconds since 1970.
  public let timeMilliseconds: UInt64
  /// The hash of the deletion certificates that stay, 32 bytes.
  public let certificateHash: [UInt8]

  /// How much was deleted.
  public struct Counts: Equatable, Sendable {
    /// Records.
    public var records: UInt64 = 0
    /// Older revisions of records.
    public var revisions: UInt64 = 0
    /// Commits.
    public var commits: UInt64 = 0
    /// Keyrings.
    public var keyrings: UInt64 = 0
    /// Sessions that can now only fetch the certificate.
    public var sessions: UInt64 = 0
    /// Bytes of all blobs.
    public var bytes: UInt64 = 0

    /// Nothing yet.
    public init() {}
  }

  /// A receipt.
  ///
  /// - Throws: ``KeyExchangeError/malformed`` when id or hash has another length.
  public init(
    server: ServerName, uid: [UInt8], generation: UInt32, lastSequence: UInt64,
    includesAccount: Bool, counts: Counts, timeMilliseconds: UInt64, certificateHash: [UInt8]
  ) throws(KeyExchangeError) {
    guard uid.count == 16, certificateHash.count == 32 else { throw .malformed }
    self.server = server
    self.uid = uid
    self.generation = generation
    self.lastSequence = lastSequence
    self.includesAccount = includesAccount
    self.counts = counts
    self.timeMilliseconds = timeMilliseconds
    self.certificateHash = certificateHash
  }

  /// The hash of a certificate's blobs, which stay after a deletion, 32 bytes:
  /// `SHA-512("KF1-certificate" ‖ u16 n ‖ LP32(blob)*)[0..32)`.
  ///
  /// - Throws: ``KeyExchangeError/malformed`` for more than 65,535 blobs.
  public static func certificateHash(of blobs: [[UInt8]]) throws(KeyExchangeError) -> [UInt8] {
    guard let count = UInt16(exactly: blobs.count) else { throw .malformed }
    var hash = SHA512()
    hash.update(Array("KF1-certificate".utf8) + bigEndian(count))
    for blob in blobs { hash.update(bigEndian(UInt32(blob.count)) + blob) }
    return [UInt8](hash.finish().prefix(32))
  }

  /// What is signed.
  public var message: [UInt8] {
    let numbers = [
      counts.records, counts.revisions, counts.commits, counts.keyrings, counts.sessions,
      counts.bytes, timeMilliseconds,
    ]
    return Array("KF1-receipt".utf8) + lp16(server.bytes) + uid + bigEndian(generation)
      + bigEndian(lastSequence) + [includesAccount ? 1 : 0] + numbers.flatMap { bigEndian($0) }
      + certificateHash
  }

  /// The signature, 64 bytes.
  public func signed(by key: borrowing Ed25519.SigningKey) -> [UInt8] {
    key.sign(message)
  }

  /// Whether `signature` is that of the receipt key that was pinned with the account.
  public func isSigned(by signature: [UInt8], receiptKey: [UInt8]) -> Bool {
    Ed25519.verify(signature, of: message, by: receiptKey)
  }
}
