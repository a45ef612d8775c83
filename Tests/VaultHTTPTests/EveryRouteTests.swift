// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// One request of the contract, as tests go through them.
struct RouteCase: Sendable, CustomTestStringConvertible {
  let method: HTTPRequest.Method
  let template: String
  /// Whether it asks for a session.
  let needsSession: Bool
  /// Whether it reads a body.
  var readsBody: Bool {
    template == Route.startOver
      ? false : [.post, .put].contains(method) || (method == .delete && template == Route.vault)
  }
  var testDescription: String { "\(method) \(template)" }

  /// The path with ids that nothing has.
  var path: String {
    template.replacingOccurrences(
      of: "records/{id}", with: "records/" + Hex.encode([UInt8](repeating: 7, count: 16))
    )
    .replacingOccurrences(of: "{id}", with: "7").replacingOccurrences(of: "{n}", with: "7")
  }

  /// All that the server answers.
  static let all: [RouteCase] = {
    guard let server = try? TestServer() else { return [] }
    let service = VaultService(
      configuration: ServerConfiguration(), store: server.store, secrets: server.secrets,
      clock: Timestamp.system, log: ServerLog(level: .error, clock: Timestamp.system),
      metrics: ServerMetrics())
    return service.routes.map { route in
      RouteCase(
        method: route.method, template: route.path, needsSession: route.access != .anyone)
    }
  }()
}

/// What holds for every request alike.
@Suite struct EveryRouteTests {
  @Test func `there are as many routes as the contract names`() {
    #expect(RouteCase.all.count == 25)
    #expect(
      RouteCase.all.filter { !$0.needsSession }.map(\.testDescription) == [
        "GET /v1/server", "POST /v1/registration", "POST /v1/accounts", "POST /v1/login",
        "POST /v1/sessions", "POST /v1/recovery", "POST /v1/recovery/open", "GET /healthz",
        "GET /readyz",
      ])
  }

  @Test(arguments: RouteCase.all.filter(\.needsSession))
  func `C5: no session, no answer`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      #expect(try await visitor.send(route.method, route.path).problem == .unauthorized)
      var forger = visitor
      forger.authorization = "Bearer " + Hex.encode(randomBytes(56))
      // A forger's body is not even read.
      let answer = try await forger.send(
        route.method, route.path, body: route.readsBody ? [0xFF, 0xFF] : nil,
        ifMatch(randomBytes(32)))
      #expect(answer.problem == .unauthorized)
    }
  }

  @Test(arguments: RouteCase.all)
  func `another method is answered with those that there are`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let answer = try await visitor.send(.patch, route.path)
      #expect(answer.problem == .methodNotAllowed)
      #expect(answer.headers[.allow]?.contains(route.method.rawValue) == true)
    }
  }

  @Test(arguments: RouteCase.all.filter(\.readsBody))
  func `a body of another type is not read`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      for type in ["text/html", "application/protobufx", ""] {
        let answer = try await alice.web.send(
          route.method, route.path, body: [1, 2, 3],
          [.contentType: type, .ifMatch: "\"\(Hex.encode(randomBytes(32)))\""])
        #expect(answer.problem == .unsupportedMediaType, "\(type)")
      }
      let packed = try await alice.web.send(
        route.method, route.path, body: [1, 2, 3], [.contentEncoding: "gzip"])
      #expect(packed.problem == .unsupportedMediaType)
    }
  }

  @Test(arguments: RouteCase.all.filter(\.readsBody))
  func `a body that is no message is refused`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let headers = ifMatch(randomBytes(32))
      let binary = try await alice.web.send(
        route.method, route.path, body: [0xFF, 0xFF, 0xFF], headers)
      #expect(binary.problem == .malformed)
      for text in ["", "{", "[]", "{\"nonsense\":1}", "\u{0}"] {
        let answer = try await alice.web.json.send(
          route.method, route.path, body: Array(text.utf8), headers)
        #expect(answer.problem == .malformed, "\(text)")
      }
    }
  }

  @Test(arguments: RouteCase.all.filter(\.readsBody))
  func `a body over the limit is not read`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let answer = try await alice.web.send(
        route.method, route.path,
        // One field that no message has: nothing else is wrong with it.
        body: [0xFA, 0x7F, 0x80, 0x80, 0x80, 0x03]
          + [UInt8](repeating: 0, count: Call.BodyLimit.commit.rawValue),
        ifMatch(randomBytes(32)))
      #expect(answer.problem == .tooLarge)
    }
  }

  @Test(arguments: RouteCase.all.filter(\.readsBody))
  func `a body of too many messages is not built`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let headers = ifMatch(randomBytes(32))
      let binary = try await alice.web.send(
        route.method, route.path, body: (0..<2_000).flatMap { _ in [0x2A, 0] as [UInt8] }, headers)
      #expect(binary.problem == .tooLarge)
      let fields = [Route.accounts: 8, Route.keyring: 5, Route.credentials: 6]
      if let field = fields[route.template] {
        // 2,000 empty records in a commit of 4,000 bytes, within.
        let records = (0..<2_000).flatMap { _ in [0x2A, 0] as [UInt8] }
        let nested = try await alice.web.send(
          route.method, route.path, body: [UInt8(field << 3 | 2), 0xA0, 0x1F] + records, headers)
        #expect(nested.problem == .tooLarge)
      }
      let json = try await alice.web.json.send(
        route.method, route.path,
        body: Array(("{\"records\":[" + String(repeating: "{},", count: 2_000)).utf8), headers)
      #expect(json.problem == .tooLarge)
    }
  }

  @Test func `an unknown path is a problem of the contract`() async throws {
    try await TestServer().run { visitor in
      for path in ["/", "/v1", "/v2/server", "/v1/records", "/v1/vault/x", "/%00", "/v1/../etc"] {
        let answer = try await visitor.send(.get, path)
        #expect(answer.problem == .notFound, "\(path)")
      }
      let brewed = try await visitor.send(.init("BREW") ?? .get, Route.server)
      #expect(brewed.problem == .notFound)
    }
  }

  @Test func `a client that is too old is told so`() async throws {
    let server = try TestServer { $0.oldestClient = ClientVersion(major: 1, minor: 2) }
    try await server.run { visitor in
      for (agent, status) in [
        ("journal/1.1", 426), ("journal/0.9.9", 426), ("journal/", 426), ("journal/1.2", 200),
        ("journal/1.2.1 (Linux)", 200), ("journal/10.0", 200), ("curl/8", 200), ("", 200),
      ] {
        let answer = try await visitor.send(.get, Route.server, nil, [.userAgent: agent])
        #expect(answer.status == status, "\(agent)")
      }
    }
  }

  @Test(arguments: RouteCase.all)
  func `C9: nothing is cached, sniffed, framed or run`(route: RouteCase) async throws {
    try await TestServer().run { visitor in
      let headers = try await visitor.send(route.method, route.path).headers
      #expect(headers[.cacheControl] == "no-store")
      #expect(headers[.xContentTypeOptions] == "nosniff")
      #expect(headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
      #expect(headers[.contentEncoding] == nil)
    }
  }
}
