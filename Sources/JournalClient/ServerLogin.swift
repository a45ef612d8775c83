// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import KeyFlow
import Sodium
import VaultProtocol

/// A finished OPAQUE login: a new session, and the key of the password slot.
final class ServerLogin: Sendable {
  /// The account as the server knows it; `uid` is a claim until the slot opens.
  let created: WireSessionCreated
  /// The session.
  let credential: SessionCredential
  /// The cost that the password was registered with.
  let profile: Profile
  /// The server's OPAQUE key, verified by the envelope.
  let serverKey: [UInt8]
  private let slotKey: SecretBytes

  private init(
    _ created: WireSessionCreated, _ credential: SessionCredential, _ result: borrowing LoginResult,
    uid: ObjectID
  ) {
    self.created = created
    self.credential = credential
    profile = result.profile
    serverKey = result.serverKey
    slotKey = SlotKey.password(exportKey: result.exportKey, uid: uid)
  }

  /// Logs in at `account`'s server.
  ///
  /// Nothing that depends on the stretched password leaves before the envelope has verified.
  ///
  /// - Throws: `wrongPassword` for a wrong name, password or server alike; `offline` and its like.
  static func perform(
    _ api: VaultAPI, _ account: ServerAccount, password: HeldPassword, profiles: [Profile]
  ) async throws(JournalError) -> ServerLogin {
    let credentials = try password.credentials(account)
    let attempt: Attempt
    do {
      attempt = Attempt(try ClientLogin(credentials))
    } catch {
      throw JournalError(error)
    }
    do {
      let answer = try await api.startLogin(name: account.name, ke1: attempt.login.ke1)
      let result = try await attempt.finish([UInt8](answer.ke2), profiles)
      // The envelope proved this key; it must be the one that was pinned.
      guard result.value.serverKey == account.opaqueKey else { throw JournalError.wrongServer }
      let created = try await api.createSession(state: answer.state, ke3: result.value.ke3)
      let token = SessionToken.derive(
        from: result.value.sessionKey, sessionID: created.sessionID)
      guard let uid = ObjectID(created.uid),
        let credential = SessionCredential(
          uid: uid.bytes, sessionID: created.sessionID,
          token: token.withBytes { token in token.indices.map { token[$0] } })
      else { throw JournalError.notAServer }
      return ServerLogin(created, credential, result.value, uid: uid)
    } catch let error as APIError {
      // The server knows neither why: a wrong name and a wrong password are one answer.
      if error.problem == .unauthorized { throw .wrongPassword }
      throw JournalError(error)
    } catch let error as JournalError {
      throw error
    } catch {
      throw .cancelled
    }
  }

  /// The account's id, as claimed.
  var uid: ObjectID? { ObjectID(created.uid) }

  /// The password slot, opened: the one proof that the server's account is ours.
  ///
  /// - Throws: `keysRefused`.
  func openSlot() throws(JournalError) -> Slot {
    guard let uid,
      let slot = try? Slot.open(
        [UInt8](created.passwordSlot), as: .password,
        under: slotKey, uid: uid),
      slot.profile == profile.id, slot.key.epoch == created.epoch,
      slot.base.generation <= created.generation
    else { throw .keysRefused }
    return slot
  }

  /// Whether the cloud copy there is the one that `create` began, under the key of `keys`: by the
  /// slot, which nobody without the password can have made.
  func opensVault(begunBy create: WireAccountCreate, _ keys: UnlockedKeys) -> Bool {
    guard let slot = try? openSlot() else { return false }
    let isOurKey = slot.key.id(in: keys.uid) == keys.id
    return uid == keys.uid && isOurKey && created.generation == create.generation
  }

  /// A new password slot under the password that logged in.
  func passwordSlot(
    of key: borrowing VaultKey, base: HeadPoint, uid: ObjectID
  ) -> [UInt8] {
    Slot.seal(key, profile: profile.id, base: base, as: .password, under: slotKey, uid: uid)
  }

  private final class Attempt: Sendable {
    let login: ClientLogin

    init(_ login: consuming ClientLogin) { self.login = login }

    func finish(_ ke2: [UInt8], _ profiles: [Profile]) async throws(JournalError) -> Finished {
      try await Keys.stretch { () throws(JournalError) -> Finished in
        do throws(KeyExchangeError) {
          return Finished(try self.login.finish(ke2, trying: profiles))
        } catch {
          throw JournalError(error)
        }
      }
    }
  }

  private final class Finished: Sendable {
    let value: LoginResult

    init(_ value: consuming LoginResult) { self.value = value }
  }
}
