// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Sodium
import SwiftProtobuf
import Testing
import VaultProtocol

@testable import VaultServer

/// One user's requests never reach another's data: with another's ids the answer is exactly the one
/// for what there is not.
@Suite struct IsolationTests {
  @Test func `C5: another user's records are absent`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor, name: "alice")
      let mallory = try await Owner.joined(visitor, name: "mallory")
      let one = record()
      _ = try await alice.push(alice.commit([one]))
      func path(_ id: some Collection<UInt8>) -> String { Route.records + "/" + Hex.encode(id) }
      let nowhere = Data(randomBytes(16))
      for suffix in ["", "/revisions", "/revisions/1"] {
        let hers = try await mallory.web.send(.get, path(one.recordID) + suffix)
        let absent = try await mallory.web.send(.get, path(nowhere) + suffix)
        #expect(hers.status == 404 && hers.body == absent.body && hers.headers == absent.headers)
      }
      var fetch = WireRecordsFetch()
      fetch.rows = one.recordID + one.blobHash
      let fetched = try await mallory.web.send(.post, Route.recordsFetch, fetch)
        .message(WireRecordsFetched.self)
      #expect(fetched.records.isEmpty && fetched.moved == [one.recordID])
      let feed = try await mallory.web.send(.get, Route.changes).message(WireChanges.self)
      #expect(feed.records.isEmpty && feed.seq == 1)
    }
  }

  @Test func `C5: another user's sessions are absent`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor, name: "alice")
      let mallory = try await Owner.joined(visitor, name: "mallory")
      let path = Route.sessions + "/\(alice.sessionID)"
      #expect(try await mallory.web.send(.delete, path).problem == .notFound)
      var label = WireSessionLabel()
      label.label = blob(700)
      #expect(try await mallory.web.send(.put, path + "/label", label).problem == .notFound)
      let list = try await mallory.web.send(.get, Route.sessions).message(WireSessionList.self)
      #expect(list.sessions.map(\.sessionID) == [mallory.sessionID])
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `the same record id is another record for another user`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor, name: "alice")
      var mallory = try await Owner.joined(visitor, name: "mallory")
      let id = randomBytes(16)
      let (hers, his) = (record(id, revision: 4), record(id, revision: 1))
      let commit = alice.commit([hers])
      #expect(try await alice.push(commit).status == 200)
      var same = mallory.commit([his])
      same.commitID = commit.commitID
      #expect(try await mallory.push(same).status == 200)
      let path = Route.records + "/" + Hex.encode(id)
      #expect(try await alice.web.send(.get, path).message(WireRecord.self).blob == hers.blob)
      #expect(try await mallory.web.send(.get, path).message(WireRecord.self).blob == his.blob)
    }
  }

  @Test func `C5: a session is good for its own user alone`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor, name: "alice")
      var mallory = try await Owner.joined(visitor, name: "mallory")
      let his = try #require(
        mallory.web.authorization.flatMap { SessionCredential(authorization: $0) })
      let hers = try #require(
        alice.web.authorization.flatMap { SessionCredential(authorization: $0) })
      for (session, token) in [
        (his.sessionID, his.token), (hers.sessionID, his.token), (his.sessionID, hers.token),
        (hers.sessionID, [UInt8](repeating: 0, count: 32)),
      ] {
        mallory.web.authorization = try #require(
          SessionCredential(uid: hers.uid, sessionID: session, token: token)
        ).authorization
        #expect(try await mallory.web.send(.get, Route.vault).problem == .unauthorized)
      }
      mallory.web.authorization = hers.authorization
      #expect(try await mallory.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `C5: another's name is not re-registered`() async throws {
    try await TestServer().run { visitor in
      _ = try await Owner.joined(visitor, name: "alice")
      let mallory = try await Owner.joined(visitor, name: "mallory")
      let claiming = Owner(mallory.web, name: "alice")
      let refused = await #expect(throws: Unexpected.self) {
        _ = try await claiming.record(by: mallory.web)
      }
      #expect(refused?.answer.problem == .nameTaken)
    }
  }

  @Test(arguments: ["", "Bearer", "Bearer ", "Bearer xyz", "Basic YTpi", "bearer 00"])
  func `what is no credential is none`(header: String) async throws {
    try await TestServer().run { visitor in
      var other = visitor
      other.authorization = header
      let answer = try await other.send(.get, Route.vault)
      #expect(answer.problem == .unauthorized)
    }
  }
}
