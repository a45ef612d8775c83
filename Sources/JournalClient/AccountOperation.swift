// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow

// The one shape of what changes or asks the account (KEYFLOW.md §8): it holds the sync lock, mends
// first what a crash left, notes each step on the disk before what depends on it is sent, and is
// gone on with by the same call again.
extension SyncEngine {
  /// Runs `work`, which `password` is for, as an account operation.
  func operation<R: Sendable>(
    _ password: HeldPassword, _ work: (isolated SyncEngine) async throws(JournalError) -> R
  ) async throws(JournalError) -> R {
    try await exclusively(for: password, work)
  }

  /// Ends what a crash left of writing this device's slot.
  func settle(_ password: HeldPassword) async throws(JournalError) {
    try await LocalSlot.settle(
      password, try journal.state(), profiles: journal.environment.profiles, in: journal.home)
  }

  /// Removes the key file that an account's journal does not open by, after the pages that were
  /// sealed under its key: what a crash or a deletion amid an operation leaves.
  func forgetOldKey() throws(JournalError) {
    guard journal.home.has(journal.home.keyFile) else { return }
    let state = try journal.state()
    guard state.account != nil, state.step == .none || state.step == .cloudDeleted else { return }
    // Where turning encryption on was given up, the file's key is still the journal's.
    if let key = try? KeyFile.read(in: journal.home), state.fits(key) { return }
    try journal.store.vacuum()
    try KeyFile.destroy(in: journal.home)
  }
}
