// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import VaultProtocol

/// What the server must remember between the two requests of a login.
///
/// It travels sealed in the first answer and back in the second request, so that any process can
/// finish the login.
///
/// `nonce 24 ‖ XChaCha20-Poly1305("u64 end ‖ u64 session id ‖ u8 known ‖ uid 16 ‖ u64 credential
/// version ‖ OPAQUE state 128")`; the same size for names that there are and names that there are
/// not.
struct LoginState: ~Copyable {
  /// When it ends.
  let ends: Timestamp
  /// The session's number to be.
  let session: SessionID
  /// The account; nothing for an unknown name, whose login never succeeds.
  let account: (user: UserID, credentialVersion: UInt64)?
  /// OPAQUE's part.
  let exchange: OPAQUE.LoginState

  private static let data = Array("vaultd-login-1".utf8)
  private static let headBytes = 8 + 8 + 1 + 16 + 8
  private static let plainBytes = headBytes + OPAQUE.LoginState.byteCount
  private static let sealedBytes = AEAD.nonceBytes + plainBytes + AEAD.tagBytes

  /// Seals a state under the server's key.
  static func seal(
    ends: Timestamp, session: SessionID, account: (user: UserID, credentialVersion: UInt64)?,
    exchange: borrowing OPAQUE.LoginState, key: borrowing SecretBytes
  ) -> Data {
    let head =
      bigEndian(UInt64(bitPattern: ends.milliseconds)) + bigEndian(session.number)
      + [account == nil ? 0 : 1] + (account?.user.bytes ?? [UInt8](repeating: 0, count: 16))
      + bigEndian(account?.credentialVersion ?? 0)
    let nonce = randomBytes(AEAD.nonceBytes)
    let sealed = SecretBytes(count: plainBytes + AEAD.tagBytes, in: .heap) { out in
      out.write(head)
      exchange.withBytes { out.write($0, at: headBytes) }
      key.withBytes {
        AEAD.sealInPlace(&out, key: $0, nonce: nonce.span, authenticating: data.span)
      }
    }
    return sealed.withBytes { sealed in Data(nonce + sealed.indices.map { sealed[$0] }) }
  }

  /// Opens a state that came back.
  ///
  /// - Throws: ``Problem/unauthorized`` for what this server did not seal.
  static func open(
    _ sealed: Data, key: borrowing SecretBytes
  ) throws(ProblemResponse) -> LoginState {
    guard sealed.count == sealedBytes else { throw ProblemResponse(.unauthorized) }
    let nonce = Array(sealed.prefix(AEAD.nonceBytes))
    let box = Array(sealed.dropFirst(AEAD.nonceBytes))
    do {
      let plain = try key.withBytes { (key) throws(AEADError) in
        try AEAD.open(box.span, key: key, nonce: nonce.span, authenticating: data.span)
      }
      let head = plain.withBytes { plain in (0..<headBytes).map { plain[$0] } }
      return LoginState(
        ends: Timestamp(milliseconds: Int64(bitPattern: number(head[0..<8]))),
        session: SessionID(number: number(head[8..<16])),
        account: head[16] == 1
          ? UserID(head[17..<33]).map { ($0, number(head[33..<41])) } : nil,
        exchange: try plain.withBytes { (plain) throws(KeyExchangeError) in
          try OPAQUE.LoginState(bytes: plain.extracting(headBytes..<plainBytes))
        })
    } catch {
      throw ProblemResponse(.unauthorized)
    }
  }
}

/// The number that at most 8 bytes are in network order.
func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
  bytes.reduce(0) { $0 << 8 | UInt64($1) }
}
