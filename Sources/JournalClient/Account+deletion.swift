// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import KeyFlow
public import Sodium
import VaultProtocol

/// What the server claims to have deleted, signed with the receipt key that was pinned with the
/// account; the user may keep it.
public struct CloudReceipt: Equatable, Sendable {
  /// Records, older revisions, commits and keyrings that went.
  public var records, revisions, commits, keyrings: UInt64
  /// Sessions of other devices, which can now only fetch the certificate.
  public var sessions: UInt64
  /// Bytes of all blobs that went.
  public var bytes: UInt64
  /// The last commit's number.
  public var lastSeq: UInt64
  /// When, by the server's clock.
  public var time: Instant
  /// Whether the account's name and password record went too.
  public var includesAccount: Bool
  /// The bytes that were signed, and the Ed25519 signature.
  public var message, signature: [UInt8]
}

extension SyncEngine {
  /// Deletes the cloud copy, with `account` the account too; everything stays on this device.
  ///
  /// Pulls to the head first, so that nothing goes that this device does not have. Neither text nor
  /// key goes into the request. A crash, or a lost answer, is followed by the same call again.
  ///
  /// Where what the server shows does not verify, options may let it go all the same: the certificate
  /// then covers whatever is stated there, and what this device has verified.
  ///
  /// - Throws: `wrongPassword`; `damaged` where records of the copy do not open here, and
  ///   would be gone with it; `receiptRefused` where the server's receipt does not hold or it
  ///   still shows something afterwards; `offline` and its like.
  public func deleteCloudData(
    password: borrowing SecretBytes, account: Bool = false, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> CloudReceipt {
    let password = HeldPassword(password)
    return try await operation(password) { engine throws(JournalError) in
      try await engine.delete(password, account: account, options)
    }
  }

  private func delete(
    _ password: HeldPassword, account: Bool, _ options: SyncOptions
  ) async throws(JournalError) -> CloudReceipt {
    let state = try journal.state()
    guard state.account != nil, !state.step.isBeforeAccount else { throw .encryptionOff }
    options.progress(SyncProgress(.unlocking))
    let api: VaultAPI
    do throws(JournalError) {
      seenDeletion = nil
      api = try await enter(password)
    } catch {
      guard case .deleted = error, let seen = seenDeletion else { throw error }
      return try await repeatDeletion(seen.what, seen.api, account: account)
    }
    var attempt = 0
    while true {
      attempt += 1
      let session = try session()
      let pin = try await lastHead(session, options)
      let blobs = try certificates(at: pin, session.keys)
      var body = WireVaultDelete()
      body.certificates = blobs
      body.account = account
      body.generation = pin.generation
      do {
        let receipt = try await api.deleteVault(VaultAPI.encode(body), head: pin.hash)
        let checked = try check(
          receipt, blobs, generation: pin.generation, lastSeq: pin.seq, session.keys)
        try await checkNothingIsLeft(api, blobs, account: account)
        try journal.store.write { (store) throws(JournalError) in try store.leaveCloud() }
        root = nil
        return checked
      } catch let error as APIError {
        guard error.problem == .preconditionFailed, attempt < settings.conflictTries else {
          throw try refused(error, session)
        }
      } catch let error as JournalError {
        throw error
      } catch {
        throw .cancelled
      }
    }
  }

  /// The head to delete at: the newest, verified; or as it is stated, where it does not verify and
  /// the owner insists.
  func lastHead(
    _ session: Session, _ options: SyncOptions
  ) async throws(JournalError) -> HeadPoint {
    do throws(JournalError) {
      let pulled = try await pull(session, options, first: nil)
      if !options.allowsDamage {
        guard pulled.report.damaged.isEmpty else { throw .damaged(ids: pulled.report.damaged) }
        try pulled.requireAll()
      }
      guard let pin = try journal.state().pin else { throw .incomplete }
      return pin
    } catch {
      guard options.allowsUnverified, error.isAboutTheChain else { throw error }
    }
    do throws(APIError) {
      let stated = try await session.api.vault()
      return HeadPoint(
        generation: stated.generation, seq: stated.seq,
        hash: Digest(ofBlob: [UInt8](stated.head).span))
    } catch {
      throw try refused(error, session)
    }
  }

  /// After a lost answer: all is deleted already, and the same request gets the same receipt.
  private func repeatDeletion(
    _ deletion: WireDeletion, _ api: VaultAPI, account: Bool
  ) async throws(JournalError) -> CloudReceipt {
    let keys = try journal.keys.unlocked()
    guard
      let certificate = try? DeletionCertificate(
        opening: deletion.certificates.map { [UInt8]($0.blob) }, with: keys.keyring, uid: keys.uid)
    else { throw .untrustedDeletion }
    var body = WireVaultDelete()
    body.certificates = deletion.certificates
    body.account = account
    body.generation = certificate.generation
    do {
      let receipt = try await api.deleteVault(VaultAPI.encode(body), head: .zero)
      let checked = try check(
        receipt, deletion.certificates, generation: certificate.generation,
        lastSeq: receipt.lastSeq, keys)
      try await checkNothingIsLeft(api, deletion.certificates, account: account)
      return checked
    } catch let error as APIError {
      throw JournalError(error)
    } catch let error as JournalError {
      throw error
    } catch {
      throw .cancelled
    }
  }

  /// One certificate for each epoch in the keyring; it reaches what this device verified, even where
  /// the server shows less.
  func certificates(
    at last: HeadPoint, _ keys: UnlockedKeys
  ) throws(JournalError) -> [WireCertificate] {
    let state = try journal.state()
    let isBehind = state.pin?.generation == last.generation
    let certificate = DeletionCertificate(
      generation: last.generation, lastSeq: max(last.seq, isBehind ? state.pin?.seq ?? 0 : 0),
      device: state.device,
      time: UInt64(clamping: journal.environment.now().milliseconds))
    return certificate.seal(under: keys.keyring, uid: keys.uid).map { sealed in
      var wire = WireCertificate()
      wire.epoch = sealed.epoch
      wire.blob = Data(sealed.blob)
      return wire
    }
  }

  /// - Throws: `receiptRefused` for a receipt that is not about this deletion, or not signed by the
  ///   pinned key.
  func check(
    _ wire: WireReceipt, _ certificates: [WireCertificate], generation: UInt32, lastSeq: UInt64,
    _ keys: UnlockedKeys
  ) throws(JournalError) -> CloudReceipt {
    guard let pinned = try journal.state().account else { throw .encryptionOff }
    var counts = DeletionReceipt.Counts()
    counts.records = wire.records
    counts.revisions = wire.revisions
    counts.commits = wire.commits
    counts.keyrings = wire.keyrings
    counts.sessions = wire.sessions
    counts.bytes = wire.bytes
    guard let server = try? ServerName(pinned.serverName),
      let hash = try? DeletionReceipt.certificateHash(of: certificates.map { [UInt8]($0.blob) }),
      let receipt = try? DeletionReceipt(
        server: server, uid: keys.uid.bytes, generation: generation, lastSequence: lastSeq,
        includesAccount: wire.account, counts: counts, timeMilliseconds: wire.timeMs,
        certificateHash: hash),
      receipt.isSigned(by: [UInt8](wire.signature), receiptKey: pinned.receiptKey)
    else { throw .receiptRefused }
    return CloudReceipt(
      records: wire.records, revisions: wire.revisions, commits: wire.commits,
      keyrings: wire.keyrings, sessions: wire.sessions, bytes: wire.bytes, lastSeq: lastSeq,
      time: Instant(milliseconds: Int64(clamping: wire.timeMs)), includesAccount: wire.account,
      message: receipt.message, signature: [UInt8](wire.signature))
  }

  /// Asks again: the only answer left is the certificate, or with the account gone, none at all.
  private func checkNothingIsLeft(
    _ api: VaultAPI, _ certificates: [WireCertificate], account: Bool
  ) async throws(JournalError) {
    do {
      _ = try await api.vault()
    } catch {
      if account, error.problem == .unauthorized { return }
      guard case .refused(let refusal) = error, refusal.problem == .gone else {
        throw JournalError(error)
      }
      guard refusal.deletion?.certificates == certificates else { throw .receiptRefused }
      return
    }
    throw .receiptRefused
  }
}

extension JournalError {
  /// Whether what the server shows does not verify.
  fileprivate var isAboutTheChain: Bool {
    switch self {
    case .rolledBack, .forked, .incomplete, .altered, .withheld, .newGeneration: true
    default: false
    }
  }
}
