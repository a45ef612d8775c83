// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium
import VaultProtocol

extension StoreTransaction {
  private static let sessionItem = "session"

  /// The session's credential; `nil` where there is none that opens.
  func credential(with keys: UnlockedKeys) throws(JournalError) -> SessionCredential? {
    guard let item = try item(Self.sessionItem, with: keys) else { return nil }
    return item.withBytes { bytes in
      guard bytes.count == 40 else { return nil }
      let id = (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
      return SessionCredential(
        uid: keys.uid.bytes, sessionID: id, token: (8..<40).map { bytes[$0] })
    }
  }

  /// Keeps the session's credential, sealed: `u64 session id ‖ token 32`.
  func setCredential(
    _ credential: SessionCredential, with keys: UnlockedKeys
  ) throws(JournalError) {
    let id = (0..<8).map {
      UInt8(truncatingIfNeeded: credential.sessionID >> (56 - 8 * UInt64($0)))
    }
    try setItem(Self.sessionItem, id + credential.token, with: keys)
  }

  /// Forgets the session.
  func dropCredential() throws(JournalError) {
    try dropItem(Self.sessionItem)
  }
}
