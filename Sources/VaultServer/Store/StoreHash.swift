// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import VaultProtocol

extension BlobHash {
  /// The hash of a blob.
  init(of blob: Data) {
    self.init(hashing: [blob])
  }
}

extension RequestHash {
  /// What makes two commits equal: the head's hash and the list of (record, revision, hash).
  init(of commit: Commit) {
    var rows = Data(capacity: 56 * commit.revisions.count)
    for revision in commit.revisions {
      rows.append(contentsOf: revision.record.bytes)
      rows.append(contentsOf: bigEndian(revision.number))
      rows.append(contentsOf: revision.hash.bytes)
    }
    self.init(hashing: [Data(BlobHash(of: commit.head).bytes), rows])
  }
}

extension KeyMaterial {
  /// The `ETag`: each part with its length before it, hashed.
  var tag: KeyringTag {
    let parts = [passwordSlot, recovery.slot, recovery.publicKey, keyring]
    return KeyringTag(hashing: parts.flatMap { [Data(bigEndian(UInt64($0.count))), $0] })
  }
}

extension Bytes32 {
  /// The first 32 bytes of the SHA-512 of `pieces`, joined.
  init(hashing pieces: [Data]) {
    var hasher = SHA512()
    for piece in pieces { hasher.update(piece.span) }
    let digest = hasher.finish()
    guard let hash = Self(digest.span.extracting(first: 32)) else {
      preconditionFailure("a SHA-512 has 64 bytes")
    }
    self = hash
  }
}
