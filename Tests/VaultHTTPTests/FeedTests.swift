// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// The feed: pages, rows, waiting.
@Suite struct FeedTests {
  private func page(_ owner: Owner, _ query: String) async throws -> WireChanges {
    let answer = try await owner.web.send(.get, Route.changes + query)
    try require(answer.status == 200, answer)
    return try answer.message()
  }

  @Test func `small pages lead to the same end`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let records = (0..<7).map { _ in record() }
      _ = try await alice.push(alice.commit(Array(records[..<4])))
      _ = try await alice.push(alice.commit(Array(records[4...])))
      var seen: [WireRecord] = []
      var cursor = ""
      while true {
        let page = try await page(alice, "?limit=1300&cursor=\(cursor)")
        #expect(page.records.count <= 2 && !page.records.isEmpty)
        seen += page.records
        cursor = Hex.encode(page.cursor)
        if !page.more { break }
      }
      #expect(seen.map(\.seq) == [2, 2, 2, 2, 3, 3, 3])
      #expect(Set(seen.map(\.blob)) == Set(records.map(\.blob)))
      #expect(
        try await alice.web.send(.get, Route.changes + "?cursor=\(cursor)&headsFrom=3").status
          == 204)
      let heads = try await page(alice, "?cursor=\(cursor)&headsFrom=1").heads
      #expect(heads.map(\.seq) == [1, 2, 3])
    }
  }

  @Test func `rows hold id, revision and hash in 56 bytes`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let one = record(revision: 258)
      _ = try await alice.push(alice.commit([one]))
      let page = try await page(alice, "?rows=1")
      #expect(page.rows == one.recordID + [0, 0, 0, 0, 0, 0, 1, 2] + one.blobHash)
      #expect(page.records.isEmpty)
    }
  }

  @Test func `a cursor of another time begins anew`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      var cursor = try await page(alice, "").cursor
      cursor[3] = 9
      #expect(try await page(alice, "?cursor=\(Hex.encode(cursor))").reset)
    }
  }

  @Test func `another head at the cursor's seq begins anew`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      var cursor = try await page(alice, "").cursor
      cursor[15] ^= 1
      #expect(try await page(alice, "?cursor=\(Hex.encode(cursor))").reset)
    }
  }

  @Test func `a head that the client does not have is never passed over`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      let cursor = Hex.encode(try await page(alice, "").cursor)
      // The client's pin is ahead: the server went back, and the client must see it.
      #expect(try await page(alice, "?cursor=\(cursor)&headsFrom=9").heads.map(\.seq) == [2])
    }
  }

  @Test(arguments: [
    "cursor=zz", "cursor=00", "limit=0", "limit=x", "wait=-1", "wait=x", "rows=2", "headsFrom=x",
    "limit=99999999999999999999",
  ])
  func `a query that is no question is malformed`(query: String) async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      #expect(try await alice.web.send(.get, Route.changes + "?" + query).problem == .malformed)
    }
  }

  @Test(arguments: [TestServer.Way.router, .live])
  func `who waits is answered as soon as the head moves`(way: TestServer.Way) async throws {
    try await TestServer().run(way.setting) { visitor in
      var alice = try await Owner.joined(visitor)
      let cursor = Hex.encode(try await page(alice, "").cursor)
      let other = alice
      async let waiting = page(other, "?cursor=\(cursor)&headsFrom=1&wait=55")
      // Whether the commit comes before or after the look: it is never missed.
      let one = record()
      _ = try await alice.push(alice.commit([one]))
      let page = try await waiting
      #expect(page.records.map(\.blob) == [one.blob] && page.seq == 2)
    }
  }

  @Test func `who waits in vain is told so`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let cursor = Hex.encode(try await page(alice, "").cursor)
      let answer = try await alice.web.send(.get, Route.changes + "?cursor=\(cursor)&wait=1")
      #expect(answer.status == 204 && answer.body.isEmpty)
    }
  }

  @Test func `who waits learns that the session ended`() async throws {
    try await TestServer().run(.ahc(.http)) { visitor in
      let alice = try await Owner.joined(visitor)
      var other = alice
      _ = try await other.logIn()
      let cursor = Hex.encode(try await page(alice, "").cursor)
      async let waiting = alice.web.send(.get, Route.changes + "?cursor=\(cursor)&wait=55")
      #expect(
        try await other.web.send(.delete, Route.sessions + "/\(alice.sessionID)").status == 204)
      #expect(try await waiting.problem == .unauthorized)
    }
  }

  @Test func `one user cannot hold all waiting places`() async throws {
    try await TestServer { $0.waitsPerUser = 0 }.run { visitor in
      let alice = try await Owner.joined(visitor)
      let answer = try await alice.web.send(.get, Route.changes + "?wait=1")
      #expect(answer.problem == .tooManyRequests && answer.headers[.retryAfter] == "5")
    }
  }
}
