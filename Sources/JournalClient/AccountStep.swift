// SPDX-License-Identifier: Apache-2.0

/// What an account operation has done so far, on the disk (`JournalState.accountStep`), so that a
/// crash anywhere is followed by going on from there (KEYFLOW.md §8).
enum AccountStep: String, Sendable {
  /// Nothing is under way.
  case none = ""
  /// Key, head, slots and keyring of the new account are sealed and durable; the kit is not
  /// confirmed, so all of it may be thrown away.
  case prepared
  /// The recovery kit is confirmed.
  case confirmed
  /// Everything here is sealed under the new key.
  case sealed
  /// The request for the account is stored, and perhaps sent.
  case registering
  /// The request for a new cloud copy under the old name is stored, and perhaps sent.
  case beginning
  /// The account exists.
  case registered
  /// Logged in; the journal is on its way up, or the vault on its way down.
  case syncing
  /// The cloud copy was deleted; the journal stays on this device alone.
  case cloudDeleted = "cloud-deleted"

  /// Whether the account does not exist yet, as far as this device knows.
  var isBeforeAccount: Bool {
    switch self {
    case .prepared, .confirmed, .sealed, .registering, .beginning: true
    case .none, .registered, .syncing, .cloudDeleted: false
    }
  }
}

extension JournalState {
  /// Whether the journal opens by the key file: there is no account, or nothing is sealed under its
  /// key yet.
  var opensByFile: Bool { account == nil || step == .prepared || step == .confirmed }

  /// What an account operation has done so far.
  var step: AccountStep {
    get { AccountStep(rawValue: accountStep) ?? .none }
    set { accountStep = newValue.rawValue }
  }
}
