// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// A statement that only the holder of the recovery code can sign: one step of a recovery.
public struct RecoveryProof: Sendable {
  /// What is signed.
  public let message: [UInt8]

  /// Where and for whom the proof counts, and the nonce that makes it count once.
  public struct Scope: Sendable {
    let bytes: [UInt8]

    /// The scope of one step.
    ///
    /// - Parameters:
    ///   - server: The server's name.
    ///   - uid: The user's id, 16 bytes.
    ///   - nonce: The nonce that the server gave for this step, 32 bytes.
    /// - Throws: ``KeyExchangeError/malformed`` for another length.
    public init(server: ServerName, uid: [UInt8], nonce: [UInt8]) throws(KeyExchangeError) {
      guard uid.count == 16, nonce.count == 32 else { throw .malformed }
      bytes = lp16(server.bytes) + uid + nonce
    }
  }

  /// Opens a recovery: releases the recovery slot and evaluates `element`, the OPAQUE request.
  public static func open(_ scope: Scope, element: [UInt8]) -> RecoveryProof {
    RecoveryProof("open", scope, SHA512.hash(element))
  }

  /// Replaces the credentials, on condition of the keyring's ETag (32 bytes).
  ///
  /// - Throws: ``KeyExchangeError/malformed`` for another length.
  public static func replace(
    _ scope: Scope, keyringETag: [UInt8], requestHash: [UInt8]
  ) throws(KeyExchangeError) -> RecoveryProof {
    guard keyringETag.count == 32, requestHash.count == 64 else { throw .malformed }
    return RecoveryProof("replace", scope, keyringETag + requestHash)
  }

  /// Deletes the cloud data of a generation up to a head, leaving these certificates (hash of 32
  /// bytes).
  ///
  /// - Throws: ``KeyExchangeError/malformed`` for another length.
  public static func delete(
    _ scope: Scope, generation: UInt32, sequence: UInt64, certificateHash: [UInt8]
  ) throws(KeyExchangeError) -> RecoveryProof {
    guard certificateHash.count == 32 else { throw .malformed }
    let what = bigEndian(generation) + bigEndian(sequence) + certificateHash
    return RecoveryProof("delete", scope, what)
  }

  /// What a ``replace(_:keyringETag:requestHash:)`` stands for, 64 bytes, the same for both
  /// encodings of the request.
  public static func requestHash(
    record: [UInt8], passwordSlot: [UInt8], recoverySlot: [UInt8], recoveryKey: [UInt8],
    keyring: [UInt8], head: [UInt8]
  ) -> [UInt8] {
    var hash = SHA512()
    hash.update(Array("KF1-replace".utf8))
    for part in [record, passwordSlot, recoverySlot, recoveryKey, keyring, head] {
      hash.update(bigEndian(UInt32(truncatingIfNeeded: part.count)))
      hash.update(part)
    }
    return hash.finish()
  }

  private init(_ action: String, _ scope: Scope, _ what: [UInt8]) {
    message = Array("KF1-recovery".utf8) + lp16(Array(action.utf8)) + scope.bytes + what
  }

  /// The proof, 64 bytes.
  public func signed(by key: borrowing Ed25519.SigningKey) -> [UInt8] {
    key.sign(message)
  }

  /// Whether `signature` is the recovery key's on this statement.
  public func isProved(by signature: [UInt8], recoveryKey: [UInt8]) -> Bool {
    Ed25519.verify(signature, of: message, by: recoveryKey)
  }
}
