// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import HummingbirdTesting
import Logging
import Sodium
import Synchronization
import Testing
import VaultProtocol

@testable import VaultServer

/// What the operator's log and metrics hold: nothing of a user's.
@Suite struct LogTests {
  private static let marker = "marker-zebra"

  @Test func `C6: no line holds what came from outside`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      var alice = try await Owner.joined(visitor, name: Self.marker)
      let id = randomBytes(16)
      _ = try await alice.push(alice.commit([record(id)]))
      let user = Hex.encode(alice.uid)
      _ = try await alice.web.send(.get, Route.records + "/" + Hex.encode(id))
      _ = try await alice.web.send(.get, "/\(Self.marker)?\(Self.marker)=\(Self.marker)")
      _ = try await alice.web.send(.get, Route.changes + "?cursor=\(Self.marker)")
      _ = try await alice.web.json.send(
        .post, Route.commits, body: Array("{\"\(Self.marker)\":1}".utf8))
      _ = try await alice.web.send(
        .init(rawValue: "MARKER-ZEBRA") ?? .get, "/", nil,
        [.userAgent: Self.marker, .referer: Self.marker])
      alice.web.authorization = "Bearer \(Self.marker)"
      _ = try await alice.web.send(.get, Route.vault)

      let log = server.log
      #expect(log.count >= 10)
      let secrets = [
        Self.marker, user, Hex.encode(id), String(alice.sessionID),
        Data(alice.uid).base64EncodedString(),
      ]
      for line in log {
        for secret in secrets {
          #expect(!line.lowercased().contains(secret.lowercased()), "\(line)")
        }
      }
      // The test can fail: a route and a status are there to be found.
      #expect(log.contains { $0.contains("route=/v1/records/{id} status=200") })
    }
  }

  @Test func `the framework's words are left out, their place is told`() {
    let lines = Lines()
    let log = ServerLog(level: .info, clock: { Timestamp(milliseconds: 0) }) { lines.append($0) }
    log.framework.error("\(Self.marker)", metadata: ["name": "\(Self.marker)"])
    log.framework.warning("\(Self.marker)")
    #expect(lines.all.count == 1)
    #expect(lines.all.first?.contains("framework error") == true)
    #expect(lines.all.first?.contains(Self.marker) == false)
  }

  @Test func `below its level the log is silent`() {
    let lines = Lines()
    let log = ServerLog(level: .warning, clock: { Timestamp(milliseconds: 0) }) { lines.append($0) }
    log.event(.notice, "stopped")
    log.event(.error, "unexpected error", ["count": 3])
    #expect(
      lines.all == ["time=1970-01-01T00:00:00Z level=error event=\"unexpected error\" count=3"])
  }

  @Test func `C6: metrics tell routes, not users`() async throws {
    let server = try TestServer()
    let metrics = ServerMetrics()
    let application = buildApplication(
      configuration: ServerConfiguration(), store: server.store, secrets: server.secrets,
      clock: Timestamp.system, log: ServerLog(level: .critical, clock: Timestamp.system),
      metrics: metrics)
    try await application.test(.router) { client in
      let visitor = Visitor(client: client, serverName: server.secrets.name)
      _ = try await visitor.send(.get, Route.server)
      _ = try await visitor.send(.get, "/\(Self.marker)")
    }
    let text = metrics.text
    #expect(!text.contains(Self.marker))
    #expect(
      text.contains(
        #"vaultd_request_seconds_count{method="GET",route="/v1/server",status="200"} 1"#))
    #expect(text.contains("vaultd_waiting_requests 0"))
  }

  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
  }
}
