// SPDX-License-Identifier: Apache-2.0
public import Foundation
import Sodium
public import VaultProtocol

extension Purposes {
  /// A recovery's nonce.
  public enum Nonce {}
}

/// A nonce of a recovery; the store sees to it that it is used once, and asks nothing more of it.
public typealias Nonce = Bytes32<Purposes.Nonce>

/// One use of a nonce.
public struct NonceUse: Equatable, Sendable {
  /// Whose recovery it is.
  public var user: UserID
  /// The nonce.
  public var nonce: Nonce
  /// The hash of the request that uses it: an equal request is a repeat, another one too late.
  public var request: RequestHash
  /// From then on the nonce is good for nothing.
  public var expiry: Timestamp

  /// A use to be made.
  public init(user: UserID, nonce: Nonce, request: RequestHash, expiry: Timestamp) {
    self.user = user
    self.nonce = nonce
    self.request = request
    self.expiry = expiry
  }
}

/// A recovery proof that was found good, in place of a session.
public struct RecoveryClaim: Equatable, Sendable {
  /// The nonce that the proof is over.
  public var use: NonceUse
  /// The recovery key that the proof was verified with; it must still be the vault's.
  public var publicKey: Data

  /// A proof of `publicKey`'s holder.
  public init(use: NonceUse, publicKey: Data) {
    self.use = use
    self.publicKey = publicKey
  }
}

/// What there is to recover, and whether a nonce is still good for it; all of one snapshot.
public struct RecoveryStanding: Equatable, Sendable {
  /// What became of the nonce.
  public var nonce: NonceState
  /// Where the vault stands; nothing where there is no account, or its vault is deleted.
  public var vault: VaultState?
  /// The vault's keys.
  public var keyring: Keyring?

  /// What was found.
  public init(nonce: NonceState, vault: VaultState?, keyring: Keyring?) {
    self.nonce = nonce
    self.vault = vault
    self.keyring = keyring
  }
}

/// What became of a nonce.
public enum NonceState: Equatable, Sendable {
  /// Nobody has used it.
  case unused
  /// It was used by an equal request, and this was the answer.
  case answered(Data)
  /// It was used by another request.
  case spent
}

extension KeyringOutcome {
  /// What is kept of a change that was made by a recovery proof: `tag 32 ‖ u64 seq`.
  var answer: Data? {
    guard case .stored(let tag, let seq) = self else { return nil }
    return Data(tag.bytes + bigEndian(seq))
  }

  /// The outcome that was kept as `answer`; nothing for other bytes.
  init?(answer: Data) {
    guard answer.count == 40, let tag = KeyringTag(answer.prefix(32)) else { return nil }
    self = .stored(tag, seq: answer.dropFirst(32).reduce(0) { $0 << 8 | UInt64($1) })
  }
}
