// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

// "Delete cloud data" with the recovery code in place of the password.
extension SyncEngine {
  /// Deletes the cloud copy, with `account` the account too, by its recovery kit; everything stays on
  /// this device.
  ///
  /// Nothing goes that this device does not have: it pulls first, with the session that it has, or
  /// it has verified the newest head already.
  ///
  /// - Throws: `badCode`, `kitRefused`; `needsPassword` where there is more at the server than here
  ///   and no session to fetch it: recovering brings both; else as
  ///   ``deleteCloudData(password:account:options:)``.
  public func deleteCloudData(
    code: borrowing SecretBytes, account: Bool = false, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> CloudReceipt {
    let code = try HeldCode(typed: code)
    return try await exclusively { engine throws(JournalError) in
      try await engine.delete(code, account: account, options)
    }
  }

  private func delete(
    _ code: HeldCode, account: Bool, _ options: SyncOptions
  ) async throws(JournalError) -> CloudReceipt {
    let state = try journal.state()
    guard let known = state.account, let address = ServerAddress(known.url) else {
      throw .encryptionOff
    }
    guard state.step != .cloudDeleted else { throw .cloudDeleted }
    guard !state.step.isBeforeAccount else { throw .setupUnfinished }
    let api = VaultAPI(address, pace: settings.pace)
    let nothing = HeldPassword(RecoveryCode.text(of: RecoveryCode.make()))
    for attempt in 1... {
      options.progress(SyncProgress(.unlocking))
      let element = try Registration.element(known, nothing)
      let vault = try await openVault(of: known, with: code, element: element)
      let pin = try await head(of: vault, options)
      let blobs = try certificates(at: pin, vault.keys)
      var body = WireVaultDelete()
      body.certificates = blobs
      body.account = account
      body.generation = pin.generation
      body.seq = pin.seq
      body.recovery = try vault.proof(by: code, at: known) { (scope) throws(KeyExchangeError) in
        try .delete(
          scope, generation: pin.generation, sequence: pin.seq,
          certificateHash: DeletionReceipt.certificateHash(of: blobs.map { [UInt8]($0.blob) }))
      }
      do {
        let receipt = try await api.deleteVault(VaultAPI.encode(body), head: pin.hash)
        let checked = try check(
          receipt, blobs, generation: pin.generation, lastSeq: pin.seq, vault.keys)
        try await checkIsShut(known, code)
        try journal.store.write { (store) throws(JournalError) in try store.leaveCloud() }
        root = nil
        return checked
      } catch let error as APIError {
        guard error.problem == .preconditionFailed, attempt < settings.conflictTries else {
          throw JournalError(error)
        }
      } catch let error as JournalError {
        throw error
      } catch {
        throw .cancelled
      }
    }
    throw .busy
  }

  /// The head to delete at, which this device has verified with all that it is over.
  ///
  /// - Throws: `needsPassword` where it has not, and has no session to do it with.
  private func head(
    of vault: OpenedVault, _ options: SyncOptions
  ) async throws(JournalError) -> HeadPoint {
    let state = try journal.state()
    if state.fits(vault.keys) {
      try journal.unlock(with: vault.keys.keyring.currentKey())
    }
    if let session = try? session() {
      do throws(JournalError) {
        return try await lastHead(session, options)
      } catch {
        guard case .needsPassword = error else { throw error }
      }
    }
    let isWhole = try journal.store.read { (store) throws(JournalError) in try !store.wantsAny() }
    guard vault.point == state.pin, isWhole else { throw .needsPassword(.sessionEnded) }
    return vault.point
  }

  /// Asks again: the kit opens nothing any more.
  ///
  /// - Throws: `receiptRefused` where it does.
  private func checkIsShut(
    _ account: ServerAccount, _ code: HeldCode
  ) async throws(JournalError) {
    let nothing = HeldPassword(RecoveryCode.text(of: RecoveryCode.make()))
    do throws(JournalError) {
      let element = try Registration.element(account, nothing)
      _ = try await openVault(of: account, with: code, element: element)
    } catch {
      // With the account gone, its name has another id.
      guard error != .kitRefused, error != .keysRefused else { return }
      throw error
    }
    throw .receiptRefused
  }
}
