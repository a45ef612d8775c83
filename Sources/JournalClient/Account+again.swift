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
    var isLocalKey = false
    if let key = try KeyFile.read(in: journal.home) { isLocalKey = state.fits(key) }
    before.step = isLocalKey ? .none : .cloudDeleted
    if isLocalKey { before.account = nil }
    return before
  }

  /// Makes the password's part of the request, which is stored before it is first sent.
  ///
  /// - Throws: `nameTaken` where the name is somebody else's; `newGeneration` where another device
  ///   was faster: its copy can be followed.
  func prepareBeginning(
    _ create: WireAccountCreate, _ account: ServerAccount, _ password: HeldPassword
  ) async throws(JournalError) {
    let keys = try journal.keys.unlocked()
    let (login, _) = try await logIn(at: account, password)
    guard login.created.hasDeletion else {
      try advance(to: .cloudDeleted)
      throw .newGeneration
    }
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
  ///
  /// - Throws: `newGeneration` where another device was faster: its copy can be followed.
  func beginAgain(_ password: HeldPassword) async throws(JournalError) {
    let keys = try await unlockedKeys(password)
    guard let account = try journal.state().account else { throw .encryptionOff }
    let create = try setup(keys)
    let (login, api) = try await logIn(at: account, password)
    guard login.created.hasDeletion else {
      // There is a copy again: ours, if the answer was lost; or another device was faster.
      guard login.opensVault(begunBy: create, keys) else {
        try advance(to: .cloudDeleted)
        throw .newGeneration
      }
      return try enterFirstHead(of: create)
    }
    var body = WireKeyringPut()
    body.mode = .beginAfterDeletion
    body.slots = create.slots
    body.generation = create.generation
    body.epoch = create.epoch
    body.commit = create.commit
    let blobs = login.created.deletion.certificates.map { [UInt8]($0.blob) }
    do {
      let tag = try DeletionReceipt.certificateHash(of: blobs)
      try await api.putKeyring(VaultAPI.encode(body), tag: tag)
    } catch let error as APIError {
      throw JournalError(error)
    } catch {
      throw .notAServer
    }
    try enterFirstHead(of: create)
  }

  /// A login at an account of ours.
  ///
  /// - Throws: `nameTaken` where it is somebody else's.
  private func logIn(
    at account: ServerAccount, _ password: HeldPassword
  ) async throws(JournalError) -> (ServerLogin, VaultAPI) {
    guard let address = ServerAddress(account.url) else { throw .badInput("the server's address") }
    var api = VaultAPI(address, pace: settings.pace)
    let login = try await ServerLogin.perform(
      api, account, password: password, profiles: journal.environment.profiles)
    guard try login.uid == journal.state().uid else { throw .nameTaken }
    api.credential = login.credential
    return (login, api)
  }
}
