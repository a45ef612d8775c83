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

extension RequestHash {
  /// What makes two changes of keys equal: all that they ask for, the OPAQUE record included.
  ///
  /// `"vaultd-keys-1" ‖ condition ‖ slots and keyring ‖ commit ‖ credential`, each part with its
  /// length before it; a part that is absent has the length of no bytes and its place.
  init(of change: KeyringChange, _ credential: Credential?) {
    var parts = [Data("vaultd-keys-1".utf8)]
    switch change.condition {
    case .unchanged(let tag): parts += [Data([1]), Data(tag.bytes), Data()]
    case .afterDeletion(let hash): parts += [Data([2]), Data(hash.bytes), Data()]
    case .newBeginning(let tag, let head):
      parts += [Data([3]), Data(tag.bytes), Data(head.bytes)]
    }
    parts += [
      change.passwordSlot, change.recovery?.slot ?? Data(), change.recovery?.publicKey ?? Data(),
      change.keyring,
    ]
    if let commit = change.commit {
      let numbers =
        bigEndian(commit.baseSeq) + bigEndian(commit.generation) + bigEndian(commit.epoch)
      parts += [Data(commit.id.bytes), Data(numbers), commit.head]
    } else {
      parts += [Data(), Data(), Data()]
    }
    parts += credential.map { [Data([$0.secretsVersion, $0.profile]), $0.record] } ?? []
    self.init(hashing: Data.withLengths(parts))
  }
}

extension RequestHash {
  /// A login that made its session, among what is good once.
  init(spent login: SessionID) {
    self.init(hashing: [Data("vaultd-login-1".utf8), Data(bigEndian(login.number))])
  }
}

extension KeyMaterial {
  /// The `ETag`: each part with its length before it, hashed.
  var tag: KeyringTag {
    KeyringTag(
      hashing: Data.withLengths([passwordSlot, recovery.slot, recovery.publicKey, keyring]))
  }
}

extension Data {
  /// Each part with its length before it, 8 bytes.
  fileprivate static func withLengths(_ parts: [Data]) -> [Data] {
    parts.flatMap { [Data(bigEndian(UInt64($0.count))), $0] }
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
