// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import KeyExchange
import Sodium
import VaultProtocol

/// What the server says of itself.
extension VaultService {
  /// `GET /v1/server`.
  @Sendable func server(_ call: Call) async throws -> Response {
    var limits = WireLimits()
    limits.blobBytes = UInt32(Limits.blobBytes)
    limits.commitRecords = UInt32(Limits.commitRecords)
    limits.commitBytes = UInt32(Limits.commitBytes)
    limits.pageBytes = UInt32(Limits.pageBytes)
    limits.fetchRecords = UInt32(Limits.fetchRecords)
    limits.waitSeconds = UInt32(Limits.waitSeconds)
    limits.quotaBytes = UInt64(clamping: configuration.policy.quotaBytes)
    limits.quotaRecords = UInt64(clamping: configuration.policy.quotaRecords)
    var info = WireServerInfo()
    info.serverName = secrets.name
    info.version = configuration.version
    info.limits = limits
    info.opaquePublicKey = Data(secrets.exchange.publicKey)
    info.receiptPublicKey = Data(secrets.receiptKey.publicKey)
    info.registration =
      switch configuration.registration {
      case .open: .open
      case .invitation: .byInvitation
      case .closed: .closed
      }
    info.suites = [1]
    return try call.reply(info)
  }

  /// `GET /healthz`: the process lives.
  @Sendable func health(_ call: Call) async throws -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/plain"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: "ok\n")))
  }

  /// `GET /readyz`: the database answers.
  @Sendable func ready(_ call: Call) async throws -> Response {
    try await store.ping()
    return try await health(call)
  }
}
