// SPDX-License-Identifier: Apache-2.0
import Foundation
import VaultProtocol

extension VaultAPI {
  /// A recovery's first step: the account's id and a nonce.
  func startRecovery(name: String) async throws(APIError) -> WireRecoveryStarted {
    var body = WireRecoveryStart()
    body.name = name
    return try await message(Request("POST", Route.recovery, body: Self.encode(body)))
  }

  /// A recovery's second step: what there is to recover; `body` is a ``WireRecoveryOpen``.
  func openRecovery(_ body: [UInt8]) async throws(APIError) -> WireRecoveryOpened {
    var request = Request("POST", Route.recoveryOpen, body: body)
    request.largest = 256 << 10
    return try await message(request)
  }

  /// Asks to set new credentials without the old ones; again, it gives the wish that is pending.
  func startOver() async throws(APIError) -> WireStartOver {
    try await message(Request("POST", Route.startOver))
  }

  /// Takes such a wish back, whichever session's it is.
  func refuseStartOver() async throws(APIError) {
    _ = try await send(Request("DELETE", Route.startOver))
  }
}
