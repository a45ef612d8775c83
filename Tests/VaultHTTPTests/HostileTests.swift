// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Sodium
import SwiftProtobuf
import TestSupport
import Testing
import VaultProtocol

@testable import VaultServer

/// Bytes that no client sends: answered with a problem of the contract, never with a crash, and the
/// server goes on.
@Suite struct HostileTests {
  /// A request that is in order, to be damaged.
  private struct Sample {
    var method: HTTPRequest.Method
    var path: String
    var message: any Message
    var headers: HTTPFields = [:]
  }

  private func samples(_ alice: Owner) async throws -> [Sample] {
    let bob = Owner(alice.web, name: "bob")
    var start = WireRegistrationStart()
    start.name = "carol"
    start.request = Data(randomBytes(32))
    var login = WireLoginStart()
    login.name = "alice"
    login.ke1 = Data(randomBytes(96))
    let session = try await alice.beginLogin().1
    var label = WireSessionLabel()
    label.label = blob(700)
    var put = WireKeyringPut()
    put.slots = alice.slots(withKit: true)
    put.commit = alice.commit([])
    var credentials = WireCredentialsPut()
    credentials.registrationRecord = Data(randomBytes(192))
    credentials.profile = 2
    credentials.slots = alice.slots(withKit: true)
    credentials.commit = alice.commit([])
    var fetch = WireRecordsFetch()
    fetch.rows = Data(randomBytes(96))
    return [
      Sample(method: .post, path: Route.registration, message: start),
      Sample(method: .post, path: Route.accounts, message: try await bob.accountCreate()),
      Sample(method: .post, path: Route.login, message: login),
      Sample(method: .post, path: Route.sessions, message: session),
      Sample(method: .put, path: Route.sessions + "/\(alice.sessionID)/label", message: label),
      Sample(
        method: .put, path: Route.keyring, message: put, headers: ifMatch(alice.keyringTag)),
      Sample(
        method: .put, path: Route.credentials, message: credentials,
        headers: ifMatch(alice.keyringTag)),
      Sample(method: .post, path: Route.commits, message: alice.commit([record(), record()])),
      Sample(method: .post, path: Route.recordsFetch, message: fetch),
      Sample(
        method: .delete, path: Route.vault, message: alice.deletion(),
        headers: ifMatch(randomBytes(32))),
    ]
  }

  @Test(arguments: [false, true])
  func `damaged bodies never bring a 500 or a crash`(isJSON: Bool) async throws {
    var random = SeededGenerator(for: "damaged bodies, isJSON \(isJSON)")
    let seed = random.next()
    let free = TokenBuckets.Rate(burst: 1_000_000, interval: .seconds(1))
    let server = try TestServer {
      $0.nameRate = free
      $0.addressRate = free
    }
    try await server.run { visitor in
      var random = SeededBytes(seed: seed)
      var alice = try await Owner.joined(visitor)
      alice.web.isJSON = isJSON
      for sample in try await samples(alice) {
        let whole: [UInt8] =
          isJSON ? try sample.message.jsonUTF8Bytes() : try sample.message.serializedBytes()
        for _ in 0..<150 {
          let body = random.damaged(whole)
          let answer = try await alice.web.send(
            sample.method, sample.path, body: body, sample.headers)
          #expect(
            (200..<300).contains(answer.status)
              || (answer.problem != nil && answer.problem != .internalError),
            "\(sample.method) \(sample.path) \(answer.status) \(Hex.encode(body))")
        }
      }
      // It still works; the account may have gone with a damaged, yet valid, deletion or label.
      #expect(try await visitor.send(.get, Route.ready).status == 200)
    }
  }

  @Test func `random bytes on every route never bring a 500 or a crash`() async throws {
    var random = SeededGenerator(for: "random bodies")
    let seed = random.next()
    try await TestServer().run { visitor in
      var random = SeededBytes(seed: seed)
      let alice = try await Owner.joined(visitor)
      for route in RouteCase.all where route.readsBody {
        for _ in 0..<60 {
          let body = random.bytes(Int(random.next() % 200))
          let answer = try await alice.web.send(
            route.method, route.path, body: body, ifMatch(random.bytes(32)))
          #expect(answer.problem != nil || answer.status < 300, "\(Hex.encode(body))")
          #expect(answer.status != 500)
        }
      }
    }
  }

  @Test func `random paths and queries never bring a 500 or a crash`() async throws {
    var random = SeededGenerator(for: "random paths")
    let seed = random.next()
    try await TestServer().run { visitor in
      var random = SeededBytes(seed: seed)
      let alice = try await Owner.joined(visitor)
      let parts = [
        "/v1/changes?", "/v1/records/", "/v1/sessions/", "cursor=", "&wait=", "0", "limit=", "%",
        "%0",
        "%00", "?", "&", "=", "//", "../", "revisions/", "99999999999999999999", "-1", "é", "\u{0}",
        "#", "rows=1", "headsFrom=", "18446744073709551615", "[", "\"", "\\",
      ]
      for _ in 0..<400 {
        let path = (0..<4).map { _ in parts[Int(random.next() % UInt64(parts.count))] }.joined()
        let answer = try await alice.web.send(.get, "/v1/changes?" + path)
        #expect(answer.status != 500 && (answer.problem != nil || answer.status < 300), "\(path)")
        let other = try await alice.web.send(.get, path)
        #expect(other.status != 500 && (other.problem != nil || other.status < 300), "\(path)")
      }
    }
  }

  @Test func `deep nesting is refused, not followed`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      var nested: [UInt8] = []
      for _ in 0..<2_000 { nested = [0x2A] + varint(nested.count) + nested }
      #expect(
        try await alice.web.send(.put, Route.keyring, body: nested, ifMatch(randomBytes(32)))
          .problem == .malformed)
      let json = String(repeating: "{\"commit\":", count: 900)
      #expect(
        try await alice.web.json.send(
          .put, Route.keyring, body: Array(json.utf8), ifMatch(randomBytes(32))
        ).problem
          == .malformed)
    }
  }

  private func varint(_ number: Int) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return bytes
  }

  @Test func `all bodies together take no more memory than they may`() async throws {
    let budget = BodyBudget(limit: 100)
    let one = budget.share()
    try one.take(30)
    try one.take(30)
    do {
      let other = budget.share()
      #expect(throws: ProblemResponse.self) { try other.take(41) }
      try other.take(40)
      #expect(throws: ProblemResponse.self) { try one.take(1) }
      other.release()
    }
    try one.take(40)
    one.release()
    one.release()
    try budget.share().take(100)
  }
}

/// Damages bytes, from a seed that the test has printed.
struct SeededBytes {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 16
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }

  /// `whole` with a few bytes changed, cut, doubled or put in.
  mutating func damaged(_ whole: [UInt8]) -> [UInt8] {
    var bytes = whole
    for _ in 0...Int(next() % 3) {
      guard !bytes.isEmpty else { return self.bytes(Int(next() % 8)) }
      // Lengths and tags stand at the front: damage is more telling there.
      let reach = next() % 2 == 0 ? min(bytes.count, 40) : bytes.count
      let place = Int(next() % UInt64(reach))
      switch next() % 5 {
      case 0: bytes[place] ^= UInt8(1 << (next() % 8))
      case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 2: bytes.removeSubrange(place...)
      case 3: bytes.insert(contentsOf: self.bytes(1 + Int(next() % 4)), at: place)
      default: bytes.remove(at: place)
      }
    }
    return bytes
  }
}
