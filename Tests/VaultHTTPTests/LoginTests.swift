// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// Login and what bounds guessing.
@Suite struct LoginTests {
  @Test func `C1: an unknown name and a wrong password look alike`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      alice.password = "wrong"
      let (known, first, _) = try await alice.beginLogin()
      let nobody = Owner(visitor, name: "nobody")
      let (unknown, second, _) = try await nobody.beginLogin()
      #expect(known.ke2.count == 320 && unknown.ke2.count == 320)
      #expect(known.state.count == unknown.state.count)
      let wrong = try await visitor.send(.post, Route.sessions, first)
      let absent = try await visitor.send(.post, Route.sessions, second)
      #expect(wrong.problem == .unauthorized)
      #expect(wrong.body == absent.body && wrong.headers == absent.headers)
    }
  }

  @Test func `a repeated KE3 gives the same session`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let (_, create, key) = try await alice.beginLogin()
      let first = try await visitor.send(.post, Route.sessions, create)
      let second = try await visitor.send(.post, Route.sessions, create)
      #expect(first.status == 201 && first.body == second.body)
      try alice.take(second, key)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
      let list = try await alice.web.send(.get, Route.sessions).message(WireSessionList.self)
      #expect(list.sessions.count == 2)
    }
  }

  @Test func `the token stands in no answer`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let answer = try await alice.logIn()
      let header = try #require(alice.web.authorization)
      let token = try #require(SessionCredential(authorization: header)).token
      #expect(answer.body.range(of: Data(token)) == nil)
    }
  }

  @Test func `a login not finished within 60 seconds is void`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      let (_, create, _) = try await alice.beginLogin()
      server.pass(.seconds(59))
      #expect(try await visitor.send(.post, Route.sessions, create).status == 201)
      let (_, late, _) = try await alice.beginLogin()
      server.pass(.seconds(60))
      #expect(try await visitor.send(.post, Route.sessions, late).problem == .unauthorized)
    }
  }

  @Test func `an altered login state is refused`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let (_, create, _) = try await alice.beginLogin()
      for index in stride(from: 0, to: create.state.count, by: 7) {
        var altered = create
        altered.state[index] ^= 1
        #expect(try await visitor.send(.post, Route.sessions, altered).problem == .unauthorized)
      }
      var cut = create
      cut.state.removeLast()
      #expect(try await visitor.send(.post, Route.sessions, cut).problem == .unauthorized)
      #expect(try await visitor.send(.post, Route.sessions, create).status == 201)
    }
  }

  @Test func `a login of another server's state is refused`() async throws {
    let foreign: WireSessionCreate = try await TestServer().run { visitor in
      try await Owner.joined(visitor).beginLogin().1
    }
    try await TestServer().run { visitor in
      let answer = try await visitor.send(.post, Route.sessions, foreign)
      #expect(answer.problem == .unauthorized)
    }
  }

  @Test func `bad points and lengths are malformed`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      var start = WireLoginStart()
      start.name = alice.name
      for bytes in [
        [], [UInt8](repeating: 0, count: 96), [UInt8](repeating: 0xFF, count: 96),
        [UInt8](repeating: 1, count: 95),
      ] {
        start.ke1 = Data(bytes)
        #expect(try await visitor.send(.post, Route.login, start).problem == .malformed)
      }
      for name in ["", "ab", "Alice", "al ice", String(repeating: "a", count: 65), "älice"] {
        start.name = name
        #expect(try await visitor.send(.post, Route.login, start).problem == .malformed)
      }
    }
  }

  @Test func `C2: a name can be tried ten times, then once a minute`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      var alice = Owner(visitor, name: "alice")
      _ = try await alice.register()
      alice.password = "wrong"
      for _ in 0..<10 { _ = try await alice.beginLogin() }
      let refused = await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
      #expect(refused?.answer.problem == .tooManyRequests)
      let wait = refused?.answer.headers[.retryAfter].flatMap { Int($0) }
      #expect(wait == 60)
      // Another name is not touched by it.
      _ = try await Owner(visitor, name: "bob").beginLogin()
      server.pass(.seconds(60))
      _ = try await alice.beginLogin()
      await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
    }
  }

  @Test func `logins that succeed cost nothing`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      for _ in 0..<25 { #expect(try await alice.logIn().status == 201) }
    }
  }

  @Test func `C2: a success is credited once, however often it is repeated`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let (_, create, _) = try await alice.beginLogin()
      alice.password = "wrong"
      for _ in 0..<5 { _ = try await alice.beginLogin() }
      for _ in 0..<20 { _ = try await visitor.send(.post, Route.sessions, create) }
      for _ in 0..<5 { _ = try await alice.beginLogin() }
      await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
    }
  }

  @Test func `an attempt that the database did not answer costs nothing`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = Owner(visitor, name: "alice")
      await server.store.close()
      for _ in 0..<30 {
        let login = await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
        #expect(login?.answer.problem == .unavailable)
        let other = await #expect(throws: Unexpected.self) {
          _ = try await alice.record(by: visitor)
        }
        #expect(other?.answer.problem == .unavailable)
      }
    }
  }

  @Test func `A8: a session that was ended does not come back by its login's last message`()
    async throws
  {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let (_, create, key) = try await alice.beginLogin()
      var stolen = alice
      try stolen.take(try await visitor.send(.post, Route.sessions, create), key)
      let path = Route.sessions + "/\(stolen.sessionID)"
      #expect(try await alice.web.send(.delete, path).status == 204)
      #expect(try await visitor.send(.post, Route.sessions, create).problem == .unauthorized)
      #expect(try await stolen.web.send(.get, Route.vault).problem == .unauthorized)
      _ = try await alice.logIn()
    }
  }

  @Test func `C2: an address cannot try many names`() async throws {
    let server = try TestServer { $0.addressRate = .init(burst: 5, interval: .seconds(6)) }
    try await server.run { visitor in
      for number in 0..<5 { _ = try await Owner(visitor, name: "name\(number)").beginLogin() }
      let refused = await #expect(throws: Unexpected.self) {
        _ = try await Owner(visitor, name: "name5").beginLogin()
      }
      #expect(refused?.answer.problem == .tooManyRequests)
    }
  }

  @Test func `C2: registration draws on the name's bucket too`() async throws {
    try await TestServer().run { visitor in
      let alice = Owner(visitor, name: "alice")
      for _ in 0..<10 { _ = try await alice.record(by: visitor) }
      await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
    }
  }

  @Test func `behind a proxy the address is the one that it wrote`() async throws {
    let server = try TestServer {
      $0.isBehindProxy = true
      $0.addressRate = .init(burst: 1, interval: .seconds(60))
    }
    try await server.run { visitor in
      let name = try #require(HTTPField.Name("X-Forwarded-For"))
      func status(_ address: String, _ account: String) async throws -> Int {
        var start = WireLoginStart()
        start.name = account
        start.ke1 = Data(randomBytes(96))
        return try await visitor.send(.post, Route.login, start, [name: address]).status
      }
      #expect(try await status("192.0.2.1", "one") == 400)
      #expect(try await status("192.0.2.1", "two") == 429)
      #expect(try await status("198.51.100.7, 192.0.2.1", "three") == 429)
      #expect(try await status("192.0.2.2", "four") == 400)
      #expect(try await status("2001:db8:1:2::1", "five") == 400)
      #expect(try await status("2001:db8:1:2:ffff::", "six") == 429)
      #expect(try await status("2001:db8:1:3::1", "seven") == 400)
      #expect(try await status("2001:db8::1", "eight") == 400)
    }
  }
}
