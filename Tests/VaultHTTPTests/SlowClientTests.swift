// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Sodium
import Synchronization
import Testing
import VaultProtocol

@testable import VaultServer

/// Clients that send or take slowly keep nobody else from being served.
@Suite(.timeLimit(.minutes(1))) struct SlowClientTests {
  @Test func `slow sockets without a login keep nobody from writing`() async throws {
    let server = try TestServer {
      $0.bodyMemory = 1 << 20
      $0.strangerMemory = 1 << 20
    }
    try await server.runAtPort { visitor, port in
      var alice = try await Owner.joined(visitor)
      let token = "Bearer " + Hex.encode(randomBytes(56))
      let slow = try (0..<40).map { number in
        let connection = try RawConnection(port: port)
        if number.isMultiple(of: 2) {
          try connection.sendHead("POST", Route.accounts, length: 100_000)
        } else {
          try connection.sendHead("POST", Route.commits, length: 6_000_000, authorization: token)
        }
        try connection.send("\u{0A}")
        return connection
      }
      // A token that is none is told so before its body is there.
      for (number, connection) in slow.enumerated() where !number.isMultiple(of: 2) {
        #expect(await connection.receive().hasPrefix("HTTP/1.1 401 "))
      }
      #expect(try await alice.push(alice.commit([record(bytes: 700_000)])).status == 200)
      #expect(try await alice.logIn().status == 201)
      withExtendedLifetime(slow) {}
    }
  }

  @Test func `a user's own slow bodies take what has arrived of them, no more`() async throws {
    let server = try TestServer { $0.bodyMemory = 1 << 20 }
    try await server.runAtPort { visitor, port in
      var alice = try await Owner.joined(visitor)
      var bob = try await Owner.joined(visitor, name: "bob")
      let slow = try (0..<4).map { _ in
        let connection = try RawConnection(port: port)
        try connection.sendHead(
          "POST", Route.commits, length: 6_000_000, authorization: bob.web.authorization)
        try connection.send("\u{0A}")
        return connection
      }
      #expect(try await alice.push(alice.commit([record(bytes: 700_000)])).status == 200)
      #expect(try await bob.push(bob.commit([record(bytes: 700_000)])).status == 200)
      withExtendedLifetime(slow) {}
    }
  }

  @Test func `a body that never ends is answered, and its connection closed`() async throws {
    let server = try TestServer { $0.pace = ClientPace(grace: .seconds(1)) }
    try await server.runAtPort { _, port in
      let connection = try RawConnection(port: port)
      try connection.sendHead("POST", Route.login, length: 100)
      try connection.send("\u{0A}")
      let answer = await connection.receiveAll()
      #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
      #expect(answer.contains(Problem.unavailable.rawValue))
    }
  }

  @Test(arguments: [
    "no HTTP at all\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
    "POST /v1/login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
      + "content-type: application/json\r\n\r\nzz\r\n",
  ])
  func `what is no HTTP is answered with a problem of the contract`(text: String) async throws {
    try await TestServer().runAtPort { _, port in
      let connection = try RawConnection(port: port)
      try connection.send(text)
      try connection.endSending()
      let answer = await connection.receiveAll()
      #expect(answer.hasPrefix("HTTP/1.1 400 "))
      #expect(answer.contains(MediaType.problem) && answer.contains(Problem.malformed.rawValue))
      #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
    }
  }

  @Test func `a large answer keeps its user's place until it is written`() async throws {
    let places = UserPlaces(perUser: 1, retryAfter: 1)
    let user = UserID(number: 1)
    let context = VaultContext(
      source: .init(channel: EmbeddedChannel(), logger: Logger(label: "none")))
    let request = Request(
      head: .init(method: .get, scheme: nil, authority: nil, path: "/"),
      body: RequestBody(buffer: ByteBuffer()))
    let call = Call(
      request: request, context: context, share: BodyBudget(limit: 0).share(),
      place: try places.take(user), now: Timestamp(milliseconds: 0))
    let response = try call.reply(record(bytes: 1_000_000))
    let writer = PlaceWatcher(places: places, user: user)
    try await response.body.write(writer)
    #expect(writer.parts.withLock { $0 } >= 15)
    _ = try places.take(user)
  }

  @Test func `one user cannot have many requests under way`() async throws {
    try await TestServer { $0.requestsPerUser = 0 }.run { visitor in
      let alice = try await Owner.joined(visitor)
      for route in RouteCase.all where route.needsSession {
        let answer = try await alice.web.send(
          route.method, route.path, body: route.readsBody ? [] : nil, ifMatch(randomBytes(32)))
        #expect(answer.problem == .tooManyRequests, "\(route)")
        #expect(answer.headers[.retryAfter] == "1")
      }
      #expect(try await visitor.send(.get, Route.server).status == 200)
    }
  }

  @Test func `a place is free again when its request is over, once`() throws {
    let places = UserPlaces(perUser: 1, retryAfter: 1)
    let user = UserID(number: 1)
    let first = try places.take(user)
    #expect(throws: ProblemResponse.self) { try places.take(user) }
    _ = try places.take(UserID(number: 2))
    first.leave()
    let second = try places.take(user)
    first.leave()
    #expect(throws: ProblemResponse.self) { try places.take(user) }
    withExtendedLifetime(second) {}
  }

  @Test func `a token is asked for once a minute`() {
    let callers = KnownCallers()
    let now = Timestamp(milliseconds: 1_000_000)
    func caller(_ token: UInt8) -> Caller? {
      TokenHash([UInt8](repeating: token, count: 32)).map {
        Caller(user: UserID(number: 1), session: SessionID(number: 1), tokenHash: $0)
      }
    }
    guard let one = caller(1), let other = caller(2) else {
      Issue.record("32 bytes are a hash")
      return
    }
    #expect(!callers.isKnown(one, now: now))
    callers.remember(one, now: now)
    #expect(callers.isKnown(one, now: now + .seconds(59)))
    #expect(!callers.isKnown(one, now: now + .seconds(60)))
    #expect(!callers.isKnown(other, now: now))
  }
}

/// Takes an answer and looks at each part whether its user's place is still taken.
private final class PlaceWatcher: ResponseBodyWriter {
  let parts = Mutex(0)
  private let places: UserPlaces
  private let user: UserID

  init(places: UserPlaces, user: UserID) {
    self.places = places
    self.user = user
  }

  func write(_ buffer: ByteBuffer) async throws {
    parts.withLock { $0 += 1 }
    #expect(throws: ProblemResponse.self) { try places.take(user) }
  }

  func finish(_ trailingHeaders: HTTPFields?) async throws {
    #expect(throws: ProblemResponse.self) { try places.take(user) }
  }
}
