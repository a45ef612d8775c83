// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// One epoch's vault key: 32 random bytes that everything of that epoch is sealed under.
public struct VaultKey: ~Copyable, Sendable {
  /// Bytes in a vault key.
  public static let count = 32

  /// The number of this key; rotation makes the next.
  public let epoch: UInt32
  let secret: SecretBytes

  init(epoch: UInt32, secret: consuming SecretBytes) {
    self.epoch = epoch
    self.secret = secret
  }

  /// A new random key.
  public static func make(epoch: UInt32) -> VaultKey {
    VaultKey(epoch: epoch, secret: .random(count: count))
  }

  /// The key in a file or message of 32 bytes; `nil` for another length.
  public init?(epoch: UInt32, bytes: Span<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    self.init(epoch: epoch, secret: SecretBytes(copying: bytes))
  }

  /// Lends the 32 bytes, to hand the key to an agent or to a 0600 file.
  ///
  /// - Throws: What `body` throws.
  public borrowing func withBytes<R: ~Copyable, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    try secret.withBytes(body)
  }

  /// `content`, sealed for the object `oid` of `uid`.
  public borrowing func seal(
    _ content: Span<UInt8>, _ kind: Kind, oid: ObjectID, revision: UInt64, uid: ObjectID
  ) -> [UInt8] {
    let binding = Binding(kind: kind, epoch: epoch, revision: revision, uid: uid, oid: oid)
    return secret.withBytes { Blob.seal(content, key: $0, binding: binding) }
  }

  /// What ``seal(_:_:oid:revision:uid:)`` sealed; `revision` is `nil` where any will do.
  ///
  /// - Throws: ``BlobError`` when key, context or bytes are not those of the seal.
  public borrowing func open(
    _ blob: [UInt8], _ kind: Kind, oid: ObjectID, revision: UInt64?, uid: ObjectID
  ) throws(BlobError) -> SecretBytes {
    let header = try BlobHeader(blob.span)
    let binding = Binding(
      kind: kind, epoch: epoch, revision: revision ?? header.revision, uid: uid, oid: oid)
    return try secret.withBytes { (key) throws(BlobError) in
      try Blob.open(blob.span, key: key, binding: binding)
    }
  }
}
