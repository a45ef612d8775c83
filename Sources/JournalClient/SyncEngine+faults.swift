// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import VaultProtocol

extension SyncEngine {
  /// What a refused request means; a deletion is believed only with a certificate of ours.
  ///
  /// - Returns: The error to throw.
  /// - Throws: What SQLite says.
  func refused(_ error: APIError, _ session: Session) throws(JournalError) -> JournalError {
    guard case .refused(let refusal) = error else { return JournalError(error) }
    askedToWait = refusal.retryAfter
    guard refusal.problem == .gone else { return JournalError(error) }
    guard let time = try journal.believeDeletion(refusal.deletion, session.keys) else {
      if let time = try journal.resetTime(refusal.deletion) { return .accountReset(at: time) }
      return .untrustedDeletion
    }
    root = nil
    return .deleted(at: time)
  }

  /// Keeps the named state that the last sync ended in, for the status, and the entries that it is
  /// about, for the log; `nil` after a good one.
  func note(_ error: JournalError?) throws(JournalError) {
    let word = error.map(SyncFault.init(_:)) ?? nil
    guard error == nil || word != nil else { return }
    guard try journal.state().syncFault != word else { return }
    let keys = try? journal.keys.unlocked()
    let now = journal.environment.now()
    try journal.store.write { (store) throws(JournalError) in
      try store.updateState { $0.syncFault = word }
      guard case .altered(let entries)? = error, let keys else { return }
      for entry in entries.prefix(100) {
        try store.log(
          ActivityEvent(.refused, time: now, record: entry.id, detail: entry.word), keys)
      }
    }
  }
}

/// A state of the vault that stays shown until a sync ends well.
public enum SyncFault: String, CaseIterable, Sendable {
  /// The server shows an older copy than this device has verified.
  case rolledBack
  /// The server shows another history than this device has verified.
  case forked
  /// What the server shows does not add up.
  case incomplete
  /// The server does not hand out what it lists.
  case withheld
  /// The cloud copy was begun anew elsewhere.
  case newGeneration
  /// The server claims a deletion without proof.
  case untrustedDeletion
  /// The server's operator says that the account was reset.
  case accountReset
  /// The session ended: the password is needed.
  case needsPassword
  /// Other devices deleted many entries at once: the user's yes is needed.
  case confirmationNeeded

  /// The state that `error` names; `nil` for what passes by itself.
  init?(_ error: JournalError) {
    switch error {
    case .rolledBack: self = .rolledBack
    case .forked: self = .forked
    case .incomplete, .altered: self = .incomplete
    case .withheld: self = .withheld
    case .newGeneration: self = .newGeneration
    case .untrustedDeletion: self = .untrustedDeletion
    case .accountReset: self = .accountReset
    case .needsPassword: self = .needsPassword
    case .confirmationNeeded: self = .confirmationNeeded
    default: return nil
    }
  }
}

extension Journal {
  /// Checks a deletion that the server claims; where the certificate is the owner's and covers this
  /// device's pin, the journal becomes local from then on.
  ///
  /// - Returns: When the owner asked for it; `nil` where the claim is not believed.
  func believeDeletion(
    _ deletion: WireDeletion?, _ keys: UnlockedKeys
  ) throws(JournalError) -> Instant? {
    guard let deletion, let pin = try state().pin,
      let certificate = try? DeletionCertificate(
        opening: deletion.certificates.map { [UInt8]($0.blob) }, with: keys.keyring, uid: keys.uid),
      certificate.covers(pin)
    else { return nil }
    try store.write { (store) throws(JournalError) in try store.leaveCloud() }
    return Instant(milliseconds: Int64(clamping: certificate.time))
  }
}

extension StoreTransaction {
  /// The cloud copy is gone: all that was known of it is forgotten but the pin, below which no later
  /// copy is believed.
  func leaveCloud() throws(JournalError) {
    try dissolveCommit()
    try dropVaultRows()
    try dropWanted()
    try dropCredential()
    try dropItem(SyncEngine.rotationItem)
    try updateState {
      $0.step = .cloudDeleted
      $0.cursor = []
    }
  }
}
