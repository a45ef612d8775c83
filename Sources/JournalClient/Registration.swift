// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

/// A finished OPAQUE registration: the record for the server, and the key of the password slot.
final class Registration: Sendable {
  /// What the server keeps of the password, 192 bytes.
  let record: [UInt8]
  private let exportKey: SecretBytes

  private init(_ registered: borrowing OPAQUE.Registered) {
    record = registered.record.bytes
    exportKey = registered.exportKey.withBytes { SecretBytes(copying: $0) }
  }

  /// Registers `password` for `account`; with a session in `api`, as its new password.
  ///
  /// - Throws: `nameTaken`, `offline` and their like; `badInput` for what is no password.
  static func perform(
    _ api: VaultAPI, _ account: ServerAccount, password: HeldPassword, profile: Profile
  ) async throws(JournalError) -> Registration {
    try await perform(account, password: password, profile: profile) {
      (request) throws(JournalError) in
      do throws(APIError) {
        return try await api.startRegistration(name: account.name, request: request)
      } catch {
        throw JournalError(error)
      }
    }
  }

  /// Registers `password` for `account`, whose OPRF `evaluate` has applied to the request.
  ///
  /// - Throws: What `evaluate` throws; `badInput` for what is no password.
  static func perform(
    _ account: ServerAccount, password: HeldPassword, profile: Profile,
    evaluate: ([UInt8]) async throws(JournalError) -> [UInt8]
  ) async throws(JournalError) -> Registration {
    let attempt: Attempt
    do {
      attempt = Attempt(try ClientRegistration(try password.credentials(account)))
    } catch let error as JournalError {
      throw error
    } catch {
      throw .badInput("a password that cannot be used")
    }
    let response = try await evaluate(attempt.registration.request)
    return try await Keys.stretch { () throws(JournalError) -> Registration in
      do throws(KeyExchangeError) {
        return Registration(
          try attempt.registration.finish(
            response, profile: profile, serverKey: account.opaqueKey))
      } catch {
        throw JournalError(error)
      }
    }
  }

  /// An element to be evaluated for nothing, where a server wants one.
  static func element(
    _ account: ServerAccount, _ password: HeldPassword
  ) throws(JournalError) -> [UInt8] {
    do {
      return try ClientRegistration(try password.credentials(account)).request
    } catch let error as JournalError {
      throw error
    } catch {
      throw .badInput("a password that cannot be used")
    }
  }

  /// The slot that this password opens.
  func passwordSlot(
    of key: borrowing VaultKey, profile: Profile, base: HeadPoint, uid: ObjectID
  ) -> [UInt8] {
    Slot.seal(
      key, profile: profile.id, base: base, as: .password,
      under: SlotKey.password(exportKey: exportKey, uid: uid), uid: uid)
  }

  private final class Attempt: Sendable {
    let registration: ClientRegistration

    init(_ registration: consuming ClientRegistration) { self.registration = registration }
  }
}
