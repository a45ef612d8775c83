// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// The bearer token of a session: both sides derive it, neither sends it in an answer.
public enum SessionToken {
  /// Bytes in a token and in its hash.
  public static let byteCount = 32

  /// The token of one login's session key and the session id that the server drew for it.
  public static func derive(
    from sessionKey: borrowing SecretBytes, sessionID: UInt64
  ) -> SecretBytes {
    KDF.derive(
      salt: [], from: sessionKey, info: Info("session-token", context: bigEndian(sessionID)),
      count: byteCount)
  }

  /// What the server stores of a token, 32 bytes.
  public static func hash(_ token: Span<UInt8>) -> [UInt8] {
    SHA512.hash32(token)
  }
}
