// SPDX-License-Identifier: Apache-2.0

/// The purpose of a derived key, bound into every derivation of KF1 (keyflow/SPEC.md).
///
/// The label sets are closed: `KeyFlow` and `KeyExchange` each name theirs, and no other use of
/// HKDF begins with `KF1`.
public struct Info: Sendable {
  /// `"KF1" ‖ u8 len(label) ‖ label ‖ u16 len(context) ‖ context`, big-endian.
  public let bytes: [UInt8]

  /// The info of `label` (1…255 ASCII bytes) with `context` (at most 65,535 bytes).
  public init(_ label: StaticString, context: [UInt8] = []) {
    let label = Array(label.description.utf8)
    precondition((1...255).contains(label.count) && context.count <= 0xFFFF)
    var bytes = Array("KF1".utf8)
    bytes.append(UInt8(label.count))
    bytes += label
    bytes += [UInt8(context.count >> 8), UInt8(context.count & 0xFF)]
    bytes += context
    self.bytes = bytes
  }
}

/// `KDF(salt, ikm, label, ctx, n) = HKDF(salt, ikm, Info(label, ctx), n)`.
public enum KDF {
  /// `count` bytes for the purpose `info`, from the secret `ikm`.
  public static func derive(
    salt: [UInt8], from ikm: borrowing SecretBytes, info: Info, count: Int,
    in memory: SecretBytes.Memory = .guarded
  ) -> SecretBytes {
    ikm.withBytes {
      HKDF.derive(salt: salt.span, ikm: $0, info: info.bytes.span, count: count, in: memory)
    }
  }
}
