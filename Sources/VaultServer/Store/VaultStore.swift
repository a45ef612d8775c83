// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import VaultProtocol

/// Where `vaultd` keeps everything: the one protocol behind which both databases stand.
///
/// **Contract**, kept by the conformance suite on every driver:
/// - Each method is one transaction. A thrown error means that nothing was changed, save
///   ``StoreError/unavailable(_:)`` from a lost connection, after which the change may have been
///   made: whoever repeats the request gets the first answer.
/// - What was answered is durable: it survives a power cut.
/// - A method with a `caller` checks the session first, in the same transaction, and slides its
///   expiry when due. It throws ``StoreError/unauthorized`` for a session unknown, revoked,
///   expired or with another token, alike; ``StoreError/gone(_:)`` for a session from before a
///   deletion (also after a later beginning) and, where the method needs a vault, for any session
///   while the vault is deleted.
/// - It sees that caller's user's data and no other: what belongs to another is absent.
/// - `freshAfter`: the session must have been created at or after it, else
///   ``StoreError/notFresh``.
/// - Values that came from a client may be anything: they are refused, never trusted, never trap.
/// - No method blocks a thread of the cooperative pool.
public protocol VaultStore: Sendable {
  /// Wakes those who wait for a change; moved after each commit, key change, deletion and ended
  /// session, whichever process on the same database made it.
  var signals: HeadSignals { get }

  // MARK: Accounts and sessions

  /// Creates an account with its keys, generation and first head (seq 1), or nothing.
  ///
  /// A repeat (same user and registration hash) gets the first answer as long as the account
  /// lives, whatever was done with it since. An id left over from a deleted account may be used
  /// again with a greater generation.
  func createAccount(_ account: NewAccount, now: Timestamp) async throws(StoreError)
    -> AccountOutcome

  /// The account of a name, or nothing; the only look-up across users.
  func account(named name: NameKey) async throws(StoreError) -> Account?

  /// Makes a session after a login, and gives what a device needs to begin. A repeat (same number
  /// and token) gives the same session while that lasts, and no other after it was ended. The
  /// session that was not used for longest makes room where the user has too many.
  func createSession(_ session: NewSession, now: Timestamp) async throws(StoreError)
    -> SessionOutcome

  /// Whether there is such a session with such a token, even one from before a deletion; for before
  /// a body is read. Changes nothing.
  func hasSession(_ caller: Caller, now: Timestamp) async throws(StoreError) -> Bool

  /// The caller's own session; needs no vault.
  func session(caller: Caller, now: Timestamp) async throws(StoreError) -> Session

  /// The caller's live sessions, oldest first; needs no vault.
  func sessions(caller: Caller, now: Timestamp) async throws(StoreError) -> [Session]

  /// Ends one of the caller's sessions, its own too; false when there is none such. Needs no vault.
  func endSession(_ id: SessionID, caller: Caller, now: Timestamp) async throws(StoreError) -> Bool

  /// Sets or removes the label of one of the caller's sessions; false when there is none such.
  /// Needs no vault. A label has 1…4,096 bytes; another is stored by none: false.
  func setLabel(
    _ label: Data?, of id: SessionID, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> Bool

  // MARK: Records

  /// Where the vault stands.
  func vault(caller: Caller, now: Timestamp) async throws(StoreError) -> VaultState

  /// Applies a commit, whole, or nothing of it (SYNC.md §2).
  ///
  /// In order: sizes and hashes of the request itself; a known id (equal body: the first answer;
  /// other body: ``CommitFault/idReused``), before generation and epoch are looked at; base,
  /// generation, epoch; revisions; quota. Two bodies are equal when head hash and the list of
  /// (record, revision, hash) are. Of concurrent commits on one base exactly one is accepted.
  func apply(_ commit: Commit, caller: Caller, now: Timestamp) async throws(StoreError)
    -> CommitOutcome

  /// A page of what changed since a cursor (SYNC.md §3), of one snapshot. A page always makes
  /// progress; reading to the end while others write misses nothing.
  func changes(_ request: FeedRequest, caller: Caller, now: Timestamp) async throws(StoreError)
    -> FeedPage

  /// Blobs by their rows, in the order asked for, until the next blob would exceed `limit` bytes;
  /// at least one answer if any was asked for. The answers are a prefix: the rest is left to the
  /// next call.
  func fetch(_ rows: [RowKey], limit: Int, caller: Caller, now: Timestamp)
    async throws(StoreError) -> [FetchedRow]

  /// A record's current revision, or nothing.
  func record(_ id: RecordID, caller: Caller, now: Timestamp) async throws(StoreError) -> Revision?

  /// A record's revisions still kept, newest first, the current one included; empty when there is
  /// no such record.
  func revisions(of id: RecordID, caller: Caller, now: Timestamp) async throws(StoreError)
    -> [RevisionRow]

  /// One revision of a record, the current one or one still kept, or nothing.
  func revision(_ number: UInt64, of id: RecordID, caller: Caller, now: Timestamp)
    async throws(StoreError) -> Revision?

  // MARK: Keys

  /// Slots, keyring and recovery public key with their tag, and where the vault stands with them.
  func keyring(caller: Caller, now: Timestamp) async throws(StoreError) -> (Keyring, VaultState)

  /// Changes slots and keyring together with a commit of no records (which is required here).
  ///
  /// A commit id that is known gets the first answer, with the present tag, where all else is equal
  /// too (condition, slots, keyring, kit, credential), else ``CommitFault/idReused``; that needs no
  /// fresh login. The one method beside
  /// ``deleteVault(_:caller:freshAfter:now:receipt:)`` that works while the vault is deleted, for
  /// the session that deleted it and for those made since.
  func putKeyring(
    _ change: KeyringChange, caller: Caller, freshAfter: Timestamp, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome

  /// The same with a new OPAQUE record: password change, stronger cost, rotation. All other
  /// sessions of the account end. A session that is not fresh may do it too if it asked to start
  /// over and that is due; then it must be a rotation. A change without a commit is repeated safely
  /// too: when record and keys already are the new ones, the answer is the first.
  func putCredential(
    _ credential: Credential, _ change: KeyringChange, caller: Caller, freshAfter: Timestamp,
    now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome

  // MARK: Recovery

  /// What there is to recover of a user's, and whether a nonce is still good for it; nothing for a
  /// user that there is not, by the same work.
  func recovery(_ use: NonceUse) async throws(StoreError) -> RecoveryStanding

  /// Uses a nonce, and gives `answer` (1…4,096 bytes) back; an equal request's first answer where one
  /// was made before, nothing where another request used it or its time is over.
  func useOnce(_ use: NonceUse, answer: Data, now: Timestamp) async throws(StoreError) -> Data?

  /// As ``putCredential(_:_:caller:freshAfter:now:)``, by a recovery proof instead of a session, of
  /// which none is left then. Where the copy goes on it must be a rotation.
  ///
  /// The nonce is used up in the same transaction if the change is stored; an equal request after that
  /// gets the first answer.
  ///
  /// - Throws: ``StoreError/unauthorized`` for a nonce that another request used or whose time is over,
  ///   and where the vault has another recovery key, or is not there.
  func putCredential(
    _ credential: Credential, _ change: KeyringChange, proof: RecoveryClaim, now: Timestamp
  ) async throws(StoreError) -> KeyringOutcome

  /// As ``deleteVault(_:caller:freshAfter:now:receipt:)``, by a recovery proof instead of a session; all
  /// sessions are then good for their certificate only. Nonce and errors as above.
  func deleteVault(
    _ request: DeletionRequest, proof: RecoveryClaim, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome

  /// Asks to start over: 72 hours later, if no login and no refusal came in between, the caller may
  /// change its credential without a fresh login, which must be a rotation. The wish that is pending
  /// then: this one, or an earlier one, of whichever session.
  func startOver(caller: Caller, now: Timestamp) async throws(StoreError) -> StartOver

  /// Refuses a wish to start over, whoever's it is; nothing happens where there is none.
  func refuseStartOver(caller: Caller, now: Timestamp) async throws(StoreError)

  // MARK: Deletion

  /// Deletes the cloud copy (SYNC.md §6) in one transaction: records, older revisions, commits,
  /// heads, slots, keyring, counters; ends all other sessions but for their certificate; with the
  /// account, its name, OPAQUE record and sessions too.
  ///
  /// Repeated by the session that deleted, or while there is no vault, it gives the first receipt
  /// again, whatever it carries; then an account still there goes too if that is asked for, which
  /// again needs a fresh session.
  ///
  /// `receipt` makes the receipt, 1…4,096 bytes, from what was counted; it is called in the
  /// transaction, so it must be quick.
  func deleteVault(
    _ request: DeletionRequest, caller: Caller, freshAfter: Timestamp, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> DeletionOutcome

  // MARK: Operation

  /// Deletes the account of a name, with its vault and without a certificate, by the operator's will;
  /// whose it was, or nothing. Its sessions can still learn of the deletion, for 90 days.
  func resetAccount(
    named name: NameKey, certificateHash: CertificateHash, now: Timestamp,
    receipt: @Sendable @escaping (DeletionSummary) -> Data
  ) async throws(StoreError) -> UserID?

  /// Removes what has had its time: expired sessions and nonces, finished logins, what a deleted
  /// account left.
  func sweep(now: Timestamp) async throws(StoreError)

  /// Computes every stored hash anew and looks at every invariant, while others may write.
  func check() async throws(StoreError) -> CheckReport

  /// At most `limit` users in order of their ids, beginning after `user`.
  func users(after user: UserID?, limit: Int, now: Timestamp) async throws(StoreError)
    -> [UserSize]

  /// Whether the database answers, for `/readyz`.
  func ping() async throws(StoreError)

  /// Waits for what is under way, then lets the database go; later calls are unavailable.
  func close() async
}
