// SPDX-License-Identifier: Apache-2.0

/// What `Authorization: Bearer` carries: hex of `uid 16 ‖ u64 session id ‖ token 32`.
///
/// The uid comes with it so that every look-up begins with the user. The token is derived from the
/// OPAQUE session key on both sides and was never in an answer; the server keeps its hash.
public struct SessionCredential: Sendable {
  /// The account's id, 16 bytes.
  public let uid: [UInt8]
  /// The session's id, drawn by the server.
  public let sessionID: UInt64
  /// The token, 32 secret bytes.
  public let token: [UInt8]

  /// A credential of its parts.
  public init?(uid: [UInt8], sessionID: UInt64, token: [UInt8]) {
    guard uid.count == 16, token.count == 32 else { return nil }
    self.uid = uid
    self.sessionID = sessionID
    self.token = token
  }

  /// The credential in `header`, an `Authorization` value; `nil` where it is none.
  public init?(authorization header: some StringProtocol) {
    guard header.hasPrefix("Bearer "), let bytes = Hex.decode(header.dropFirst(7)),
      bytes.count == 56
    else { return nil }
    let id = bytes[16..<24].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    self.init(uid: Array(bytes[..<16]), sessionID: id, token: Array(bytes[24...]))
  }

  /// The `Authorization` value, a secret.
  public var authorization: String {
    let id = (0..<8).map { UInt8(truncatingIfNeeded: sessionID >> (56 - 8 * UInt64($0))) }
    return "Bearer " + Hex.encode(uid + id + token)
  }
}

// A credential that meets a log or an error text does not show its token.
extension SessionCredential: CustomStringConvertible, CustomReflectable {
  /// Always the same words.
  public var description: String { "SessionCredential([redacted])" }

  /// Nothing to look into.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
