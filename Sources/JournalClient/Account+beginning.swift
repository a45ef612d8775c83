// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
public import Sodium
import VaultProtocol

extension SyncEngine {
  /// Begins the cloud copy anew on what the server has, after its operator brought an older backup
  /// back, or where its newest head does not verify, whoever wrote it (KEYFLOW.md §7): what stands
  /// there stays, and whatever is newer here goes up again.
  ///
  /// The present head is a condition, not a statement: it need not open. The other devices ask before
  /// they follow.
  ///
  /// - Throws: `wrongPassword`, `offline` and their like.
  @discardableResult
  public func beginNewCopy(
    password: borrowing SecretBytes, options: SyncOptions = SyncOptions()
  ) async throws(JournalError) -> SyncReport {
    let password = HeldPassword(password)
    return try await operation(password) { engine throws(JournalError) in
      options.progress(SyncProgress(.unlocking))
      _ = try await engine.enter(password)
      let session = try engine.session()
      try await engine.putBeginning(session)
      var options = options
      options.allowsNewGeneration = true
      return try await engine.run(options, first: nil)
    }
  }

  private func putBeginning(_ session: Session) async throws(JournalError) {
    let keys = session.keys
    let state = try journal.state()
    guard let pin = state.pin else { throw .incomplete }
    do {
      // Without a cursor the newest head comes alone.
      guard let found = try await session.api.read(cursor: [], pin: 0, rowsOnly: true),
        let present = found.last.heads.last.map({ [UInt8]($0.blob) })
      else { throw JournalError.incomplete }
      var root = VaultRoot()
      for row in found.rows { root.set(row) }
      let point = HeadPoint(
        generation: found.last.generation, seq: found.last.seq,
        hash: Digest(ofBlob: present.span))
      let isOurs =
        (try? Head(opening: present, with: keys.keyring, uid: keys.uid))?.root == root.digest()
      guard found.last.epoch <= state.epoch else { throw JournalError.needsPassword(.newEpoch) }
      let last = max(pin.generation, point.generation)
      guard last < .max else { throw JournalError.incomplete }
      let head = Head(
        first: last + 1, previous: pin.hash, root: root.digest(),
        records: UInt32(clamping: root.count), epoch: state.epoch, device: state.device,
        time: UInt64(clamping: journal.environment.now().milliseconds))
      let keyring = try await session.api.keyring()
      var body = WireKeyringPut()
      body.mode = .newBeginning
      body.slots = keyring.slots
      body.generation = head.generation
      body.epoch = head.epoch
      body.headHash = Data(point.hash.bytes)
      body.commit.commitID = Data(randomBytes(16))
      body.commit.generation = head.generation
      body.commit.epoch = head.epoch
      body.commit.head = Data(head.seal(under: keys.keyring, uid: keys.uid))
      try await session.api.putKeyring(VaultAPI.encode(body), tag: [UInt8](keyring.keyringEtag))
      try journal.store.write { (store) throws(JournalError) in
        let now = journal.environment.now()
        try store.log(
          ActivityEvent(
            .account, time: now,
            detail: isOurs
              ? "the cloud copy was begun anew"
              : "the cloud copy was begun anew over a head that did not verify"), keys)
      }
    } catch let error as APIError {
      throw try refused(error, session)
    } catch let error as JournalError {
      throw error
    } catch {
      throw .cancelled
    }
  }
}
