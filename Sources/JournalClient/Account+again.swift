// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

// A new cloud copy under the old name, after the owner deleted the one before (SYNC.md §6): a new
// generation under a new epoch, with an empty keyring and a new kit.
extension SyncEngine {
  /// What the journal was before turning encryption on was begun and not confirmed.
  func startingPoint(_ state: JournalState) throws(JournalError) -> JournalState {
    var before = state
    let isLocalKey = try KeyFile.read(in: journal.home)?.epoch == state.epoch
    before.step = isLocalKey ? .none : .cloudDeleted
    if isLocalKey { before.account = nil }
    return before
  }

  /// Makes the password's part of the request, which is stored before it is first sent.
  ///
  /// - Throws: `nameTaken` where the name is somebody else's, or has a cloud copy.
  func prepareBeginning(
    _ create: WireAccountCreate, _ account: ServerAccount, _ password: HeldPassword
  ) async throws(JournalError) {
    let keys = try journal.keys.unlocked()
    let (login, _) = try await loginWithoutVault(account, password)
    var create = create
    create.profile = UInt32(login.profile.id)
    create.slots.passwordSlot = Data(
      login.passwordSlot(
        of: keys.keyring.currentKey(),
        base: HeadPoint(
          generation: create.generation, seq: 1,
          hash: Digest(ofBlob: [UInt8](create.commit.head).span)), uid: keys.uid))
    try journal.store.write { (store) throws(JournalError) in
      try store.setItem(Self.setupItem, VaultAPI.encode(create), with: keys)
      try store.updateState { $0.step = .beginning }
    }
  }

  /// Sends the stored request, on condition of the certificates that the deletion left.
  func beginAgain(_ password: HeldPassword) async throws(JournalError) {
    let keys = try await unlockedKeys(password)
    guard let account = try journal.state().account else { throw .encryptionOff }
    let create = try setup(keys)
    let login: (ServerLogin, VaultAPI)
    do throws(JournalError) {
      login = try await loginWithoutVault(account, password)
    } catch {
      // There is a copy again: ours, if the answer was lost.
      guard error == .nameTaken else { throw error }
      try enterFirstHead(of: create)
      return
    }
    var body = WireKeyringPut()
    body.mode = .beginAfterDeletion
    body.slots = create.slots
    body.generation = create.generation
    body.epoch = create.epoch
    body.commit = create.commit
    let blobs = login.0.created.deletion.certificates.map { [UInt8]($0.blob) }
    do {
      let tag = try DeletionReceipt.certificateHash(of: blobs)
      try await login.1.putKeyring(VaultAPI.encode(body), tag: tag)
    } catch let error as APIError {
      throw JournalError(error)
    } catch {
      throw .notAServer
    }
    try enterFirstHead(of: create)
  }

  /// A login at an account of ours that has no cloud copy at present.
  private func loginWithoutVault(
    _ account: ServerAccount, _ password: HeldPassword
  ) async throws(JournalError) -> (ServerLogin, VaultAPI) {
    guard let address = ServerAddress(account.url) else { throw .badInput("the server's address") }
    var api = VaultAPI(address, pace: settings.pace)
    let login = try await ServerLogin.perform(
      api, account, password: password, profiles: journal.environment.profiles)
    guard try login.uid == journal.state().uid, login.created.hasDeletion else { throw .nameTaken }
    api.credential = login.credential
    return (login, api)
  }
}
