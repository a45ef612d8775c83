// SPDX-License-Identifier: Apache-2.0
import Sodium

/// `contentHash`: the hash of a record's plaintext content; it exists only inside the seal.
///
/// `SHA-512("KF1-content" ‖ u8 recordKind ‖ content)[0..32)`. Never confuse it with `blobHash`.
public func contentHash(recordKind: UInt8, content: [UInt8]) -> Digest {
  Digest(of: Array("KF1-content".utf8) + [recordKind], content)
}
