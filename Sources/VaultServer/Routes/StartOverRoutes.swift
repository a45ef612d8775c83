// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import VaultProtocol

/// Starting over when password and kit are lost: a session that lives may, after 72 hours in which
/// nobody logged in or refused, set new credentials.
extension VaultService {
  /// `POST /v1/start-over`; again, it gives the wish that is pending.
  @Sendable func startOver(_ call: Call) async throws -> Response {
    try call.reply(
      WireStartOver(try await store.startOver(caller: call.caller(), now: call.now)))
  }

  /// `DELETE /v1/start-over`, from any session.
  @Sendable func refuseStartOver(_ call: Call) async throws -> Response {
    try await store.refuseStartOver(caller: call.caller(), now: call.now)
    return call.reply(.noContent)
  }

  /// Who asks, from a login of the last 5 minutes or with a start-over that is due.
  ///
  /// - Throws: ``Problem/unauthorized``, ``Problem/notFresh``.
  func registeringCaller(_ call: Call) async throws -> Caller {
    do {
      return try await freshCaller(call)
    } catch let stale as ProblemResponse where stale.problem == .notFresh {
      let caller = try call.caller()
      let wish = try await store.vault(caller: caller, now: call.now).startOver
      guard wish?.admits(caller.session, now: call.now) == true else { throw stale }
      return caller
    }
  }
}
