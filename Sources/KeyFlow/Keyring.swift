// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// The keys of all epochs that this device can open, the current one among them.
///
/// The sealed keyring (kind 4, under the current key) holds the older ones:
/// `u16 count ‖ (u32 epoch ‖ VK 32)*`, epochs rising.
public struct Keyring: ~Copyable, Sendable {
  /// The epochs, rising; the last is the current one, new blobs are sealed under it.
  public let epochs: [UInt32]
  private let secrets: SecretBytes

  private static let entryBytes = 4 + VaultKey.count

  /// Where the key of `epochs[index]` lies.
  private static func place(_ index: Int) -> Range<Int> {
    index * VaultKey.count..<(index + 1) * VaultKey.count
  }

  private init(epochs: [UInt32], secrets: consuming SecretBytes) {
    self.epochs = epochs
    self.secrets = secrets
  }

  /// A keyring of one key.
  public init(current key: borrowing VaultKey) {
    epochs = [key.epoch]
    secrets = key.secret.slice(0..<VaultKey.count)
  }

  /// The current epoch.
  public var epoch: UInt32 { epochs[epochs.count - 1] }

  /// Lends the key of `epoch`, 32 bytes.
  ///
  /// - Throws: ``BlobError/epoch`` for an epoch that is not in here.
  borrowing func withKey<R: ~Copyable>(
    of epoch: UInt32, _ body: (Span<UInt8>) throws(BlobError) -> R
  ) throws(BlobError) -> R {
    guard let index = epochs.firstIndex(of: epoch) else { throw .epoch }
    return try secrets.withBytes { (bytes) throws(BlobError) in
      try body(bytes.extracting(Self.place(index)))
    }
  }

  /// The current key, as one of its own.
  public borrowing func currentKey() -> VaultKey {
    VaultKey(epoch: epoch, secret: secrets.slice(Self.place(epochs.count - 1)))
  }

  /// These keys and a newer one, which becomes the current.
  ///
  /// - Throws: ``BlobError/order`` for a key that is not newer: a server may replay an old slot.
  public borrowing func adding(_ key: borrowing VaultKey) throws(BlobError) -> Keyring {
    guard key.epoch > epoch else { throw .order }
    let joined = SecretBytes(count: secrets.count + VaultKey.count) { out in
      secrets.withBytes { out.write($0) }
      key.withBytes { out.write($0, at: secrets.count) }
    }
    return Keyring(epochs: epochs + [key.epoch], secrets: joined)
  }

  /// `content`, sealed under the current key.
  public borrowing func seal(
    _ content: Span<UInt8>, _ kind: Kind, oid: ObjectID, revision: UInt64, uid: ObjectID
  ) -> [UInt8] {
    let binding = Binding(kind: kind, epoch: epoch, revision: revision, uid: uid, oid: oid)
    return secrets.withBytes {
      Blob.seal(content, key: $0.extracting(Self.place(epochs.count - 1)), binding: binding)
    }
  }

  /// `content`, sealed once under each key in here, epochs rising.
  borrowing func sealUnderEach(
    _ content: Span<UInt8>, _ kind: Kind, oid: ObjectID, revision: UInt64, uid: ObjectID
  ) -> [(epoch: UInt32, blob: [UInt8])] {
    var blobs: [(epoch: UInt32, blob: [UInt8])] = []
    secrets.withBytes { secrets in
      for (index, epoch) in epochs.enumerated() {
        let binding = Binding(kind: kind, epoch: epoch, revision: revision, uid: uid, oid: oid)
        let key = secrets.extracting(Self.place(index))
        blobs.append((epoch, Blob.seal(content, key: key, binding: binding)))
      }
    }
    return blobs
  }

  /// Opens a blob of any epoch in here; `revision` is `nil` where any will do.
  ///
  /// - Throws: ``BlobError`` when keys, context or bytes are not those of the seal.
  public borrowing func open(
    _ blob: Span<UInt8>, _ kind: Kind, oid: ObjectID, revision: UInt64?, uid: ObjectID
  ) throws(BlobError) -> SecretBytes {
    let header = try BlobHeader(blob)
    guard header.kind == kind else { throw .kind }
    let binding = Binding(
      kind: kind, epoch: header.epoch, revision: revision ?? header.revision, uid: uid, oid: oid)
    return try withKey(of: header.epoch) { (key) throws(BlobError) in
      try Blob.open(blob, key: key, binding: binding)
    }
  }

  /// The older keys, sealed under the current one; `seq` is the head's at writing.
  public borrowing func sealOlder(seq: UInt64, uid: ObjectID) -> [UInt8] {
    let older = epochs.count - 1
    let content = SecretBytes(count: 2 + older * Self.entryBytes, in: .heap) { out in
      out.write(bigEndian(UInt16(older)), at: 0)
      secrets.withBytes { secrets in
        for index in 0..<older {
          let start = 2 + index * Self.entryBytes
          out.write(bigEndian(epochs[index]), at: start)
          out.write(secrets.extracting(Self.place(index)), at: start + 4)
        }
      }
    }
    return content.withBytes { seal($0, .keyring, oid: .keyring, revision: seq, uid: uid) }
  }

  /// Opens the sealed keyring under the `current` key and joins the two.
  ///
  /// - Throws: ``BlobError``; `order` where epochs do not rise towards the current one.
  public static func open(
    _ blob: [UInt8], current: borrowing VaultKey, uid: ObjectID
  ) throws(BlobError) -> Keyring {
    let content = try current.open(blob, .keyring, oid: .keyring, revision: nil, uid: uid)
    return try content.withBytes { (content) throws(BlobError) in
      guard content.count >= 2 else { throw .length }
      let older = Int(content.integer(at: 0, as: UInt16.self))
      guard content.count == 2 + older * entryBytes else { throw .length }
      let epochs: [UInt32] =
        (0..<older).map { content.integer(at: 2 + $0 * entryBytes) } + [current.epoch]
      guard zip(epochs, epochs.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .order }
      let secrets = SecretBytes(count: epochs.count * VaultKey.count) { out in
        for index in 0..<older {
          let start = 2 + index * entryBytes + 4
          let key = content.extracting(start..<start + VaultKey.count)
          out.write(key, at: place(index).lowerBound)
        }
        current.withBytes { out.write($0, at: place(older).lowerBound) }
      }
      return Keyring(epochs: epochs, secrets: secrets)
    }
  }
}
