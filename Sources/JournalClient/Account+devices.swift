// SPDX-License-Identifier: Apache-2.0
public import KeyFlow
public import Sodium
import VaultProtocol

/// A device that has a session at the account's server.
public struct AccountDevice: Equatable, Sendable {
  /// The session's number, to end it by.
  public var session: UInt64
  /// Whether it is this one.
  public var isThis: Bool
  /// What the device told of itself, verified; `nil` where it told nothing that opens.
  public var label: DeviceLabel?
  /// When the session began, by the server's clock.
  public var since: Instant
  /// When it was last used, by the server's clock.
  public var lastUsed: Instant
}

extension SyncEngine {
  /// The devices that have a session, oldest first.
  ///
  /// - Throws: `wrongPassword`, `offline` and their like.
  public func devices(password: borrowing SecretBytes) async throws(JournalError) -> [AccountDevice]
  {
    let password = HeldPassword(password)
    return try await operation(password) { engine throws(JournalError) in
      let api = try await engine.enter(password)
      let keys = try engine.journal.keys.unlocked()
      do throws(APIError) {
        return try await api.sessions().map { AccountDevice($0, keys) }
      } catch {
        throw JournalError(error)
      }
    }
  }

  /// Ends another device's session: it can no longer ask the server.
  ///
  /// What it holds already, it can still read; only new keys would lock it out of what is written
  /// from now on.
  ///
  /// - Throws: `wrongPassword`, `offline` and their like; `serverProblem(.notFound)` where there is
  ///   no such session.
  public func endSession(
    _ session: UInt64, password: borrowing SecretBytes
  ) async throws(JournalError) {
    let password = HeldPassword(password)
    try await operation(password) { engine throws(JournalError) in
      let api = try await engine.enter(password)
      do throws(APIError) {
        try await api.endSession(session)
      } catch {
        throw JournalError(error)
      }
    }
  }

  /// Tells the account's other devices this one's name and how far it is, sealed.
  ///
  /// - Throws: `offline` and its like.
  public func tell(name: String) async throws(JournalError) {
    try await exclusively { engine throws(JournalError) in
      let session = try engine.session()
      let state = try engine.journal.state()
      guard let pin = state.pin, let credential = session.api.credential else { return }
      let label = DeviceLabel(
        name: name, lastSynced: UInt64(clamping: state.syncedAt?.milliseconds ?? 0),
        lastPulled: UInt64(clamping: state.pulledAt?.milliseconds ?? 0), pin: pin)
      let sealed = label.seal(
        under: session.keys.keyring, device: state.device, uid: session.keys.uid)
      do throws(APIError) {
        try await session.api.setLabel(state.device.bytes + sealed, of: credential.sessionID)
      } catch {
        throw try engine.refused(error, session)
      }
    }
  }
}

extension AccountDevice {
  fileprivate init(_ wire: WireSession, _ keys: UnlockedKeys) {
    session = wire.sessionID
    isThis = wire.current
    since = Instant(milliseconds: wire.createdMs)
    lastUsed = Instant(milliseconds: wire.lastUsedMs)
    let bytes = [UInt8](wire.label)
    if bytes.count > ObjectID.count, let device = ObjectID(bytes.prefix(ObjectID.count)) {
      label = try? DeviceLabel(
        opening: Array(bytes.dropFirst(ObjectID.count)), device: device, with: keys.keyring,
        uid: keys.uid)
    }
  }
}
