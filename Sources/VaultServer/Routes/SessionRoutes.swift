// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import VaultProtocol

/// An account's sessions: one for each device that logged in.
extension VaultService {
  /// `GET /v1/sessions`; fresh only.
  @Sendable func sessions(_ call: Call) async throws -> Response {
    let caller = try await freshCaller(call)
    var list = WireSessionList()
    list.sessions = try await store.sessions(caller: caller, now: call.now).map { session in
      var wire = WireSession()
      wire.sessionID = session.id.number
      wire.label = session.label ?? .init()
      wire.createdMs = session.createdAt.milliseconds
      wire.lastUsedMs = session.usedAt.milliseconds
      wire.current = session.id == caller.session
      return wire
    }
    return try call.reply(list)
  }

  /// `DELETE /v1/sessions/{id}`; fresh only, but for one's own session, which is logging out.
  @Sendable func endSession(_ call: Call) async throws -> Response {
    let id = SessionID(number: try call.number("id"))
    var caller = try call.caller()
    if id != caller.session { caller = try await freshCaller(call) }
    guard try await store.endSession(id, caller: caller, now: call.now) else {
      throw ProblemResponse(.notFound)
    }
    return call.reply(.noContent)
  }

  /// `PUT /v1/sessions/{id}/label`; an empty label removes it.
  @Sendable func setLabel(_ call: Call) async throws -> Response {
    let id = SessionID(number: try call.number("id"))
    let caller = try call.caller()
    let label = try await call.message(WireSessionLabel.self, .fields).label
    guard label.count <= Limits.labelBytes else { throw ProblemResponse(.tooLarge) }
    let isSet = try await store.setLabel(
      label.isEmpty ? nil : label, of: id, caller: caller, now: call.now)
    guard isSet else { throw ProblemResponse(.notFound) }
    return call.reply(.noContent)
  }

  /// Who asks, from a login of the last 5 minutes.
  ///
  /// - Throws: ``Problem/unauthorized``, ``Problem/notFresh``.
  func freshCaller(_ call: Call) async throws -> Caller {
    let caller = try call.caller()
    let session = try await store.session(caller: caller, now: call.now)
    guard session.createdAt >= freshAfter(call.now) else { throw ProblemResponse(.notFresh) }
    return caller
  }
}
