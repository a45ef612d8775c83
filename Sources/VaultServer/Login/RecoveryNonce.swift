// SPDX-License-Identifier: Apache-2.0
import Sodium
import VaultProtocol

/// The nonces of a recovery: made without being stored, known again by any process.
///
/// `u64 end ‖ random 8 ‖ HMAC-SHA-512(key, "vaultd-recovery-1" ‖ u8 step ‖ uid ‖ these 16)[0..16)`.
/// A name that there is and one that there is not get them by the same work.
struct RecoveryNonce {
  /// What a nonce is for.
  enum Step: UInt8 {
    /// The proof "open".
    case open = 1
    /// The proofs "replace" and "delete".
    case finish = 2

    /// How long its nonces are good.
    var life: Duration {
      switch self {
      case .open: .seconds(Limits.recoverySeconds)
      case .finish: .seconds(Limits.replaceSeconds)
      }
    }
  }

  /// The 32 bytes.
  let value: Nonce
  /// From then on it is good for nothing.
  let ends: Timestamp

  private static let label = Array("vaultd-recovery-1".utf8)

  /// A new one.
  static func make(_ step: Step, of user: UserID, now: Timestamp, _ secrets: ServerSecrets) -> Nonce
  {
    let head =
      bigEndian(UInt64(bitPattern: (now + step.life).milliseconds)) + randomBytes(8)
    guard let nonce = Nonce(head + tag(step, user, head, secrets)) else {
      preconditionFailure("8 + 8 + 16 bytes are 32")
    }
    return nonce
  }

  /// One that came back; nothing where this server did not make it for this step and user, or where
  /// its time is over.
  init?(
    _ bytes: some Collection<UInt8>, _ step: Step, of user: UserID, now: Timestamp,
    _ secrets: ServerSecrets
  ) {
    guard let nonce = Nonce(bytes) else { return nil }
    let head = Array(nonce.bytes.prefix(16))
    let tag = Self.tag(step, user, head, secrets)
    let ends = Timestamp(milliseconds: Int64(bitPattern: number(head.prefix(8))))
    let given = Array(nonce.bytes.dropFirst(16))
    guard constantTimeEqual(given.span, tag.span), now < ends else {
      return nil
    }
    value = nonce
    self.ends = ends
  }

  private static func tag(
    _ step: Step, _ user: UserID, _ head: [UInt8], _ secrets: ServerSecrets
  ) -> [UInt8] {
    Array(secrets.authentication(of: label + [step.rawValue] + user.bytes + head).prefix(16))
  }
}
