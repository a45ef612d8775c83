// SPDX-License-Identifier: Apache-2.0
import Sodium

/// What names one vault key without telling anything of it, 16 bytes (SPEC §7.7).
///
/// Numbers of epochs are not enough: a key that was in a file and one of an account can bear the same.
public struct KeyID: Equatable, Sendable {
  /// Bytes in an id.
  public static let count = 16

  /// The id's bytes.
  public let bytes: [UInt8]

  /// The id in `bytes`; `nil` for another length.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.count else { return nil }
    self.bytes = bytes
  }

  fileprivate init(deriving key: borrowing SecretBytes, epoch: UInt32, uid: ObjectID) {
    let derived = KDF.derive(
      salt: uid.bytes, from: key, info: Label.keyID(bigEndian(epoch)), count: Self.count)
    bytes = derived.withBytes { bytes in bytes.indices.map { bytes[$0] } }
  }
}

extension VaultKey {
  /// The key's id in the vault `uid`.
  public borrowing func id(in uid: ObjectID) -> KeyID {
    KeyID(deriving: secret, epoch: epoch, uid: uid)
  }
}
