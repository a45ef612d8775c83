// SPDX-License-Identifier: Apache-2.0
import VaultProtocol

extension SyncEngine {
  /// The same server at another address from now on; it must bear the pinned name.
  ///
  /// - Throws: `wrongServer`; `offline`, `notAServer`, `encryptionOff`.
  public func move(to address: ServerAddress) async throws(JournalError) {
    try await exclusively { engine throws(JournalError) in
      guard let account = try engine.journal.state().account else { throw .encryptionOff }
      let found = try await engine.introduce(address, name: account.name).account
      guard found.serverName == account.serverName, found.receiptKey == account.receiptKey,
        found.opaqueKey == account.opaqueKey
      else {
        throw .wrongServer
      }
      try engine.journal.store.write { (store) throws(JournalError) in
        try store.updateState { $0.account?.url = address.url }
      }
    }
  }
}
