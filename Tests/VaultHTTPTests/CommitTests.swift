// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// Commits and single records.
@Suite struct CommitTests {
  @Test func `C12: the same commit again gets the first answer`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let commit = alice.commit([record()])
      let first = try await alice.push(commit)
      _ = try await alice.push(alice.commit([record()]))
      let again = try await alice.web.send(.post, Route.commits, commit)
      #expect(first.status == 200 && again.status == 200 && first.body == again.body)
      var other = commit
      other.records = [record()]
      #expect(try await alice.web.send(.post, Route.commits, other).problem == .unprocessable)
    }
  }

  @Test func `a commit on another head is told where the vault stands`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      for stale in [alice.commit([record()], base: 1), alice.commit([record()], base: 9)] {
        let answer = try await alice.web.send(.post, Route.commits, stale)
        #expect(answer.problem == .conflict)
        #expect(answer.details?.vault.seq == 2 && answer.details?.vault.head == alice.head)
      }
      var older = alice.commit([record()])
      older.epoch = 9
      #expect(try await alice.web.send(.post, Route.commits, older).problem == .conflict)
      older.epoch = 1
      older.generation = 2
      #expect(try await alice.web.send(.post, Route.commits, older).problem == .conflict)
    }
  }

  @Test func `what does not fit is refused by its kind`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let first = record(revision: 5)
      _ = try await alice.push(alice.commit([first]))
      let faults: [(Problem, (inout WireCommit) -> Void)] = [
        (.malformed, { $0.commitID = Data(randomBytes(15)) }),
        (.malformed, { $0.records[0].recordID = Data() }),
        (.malformed, { $0.records[0].blobHash = Data(randomBytes(33)) }),
        (.malformed, { $0.head = Data() }),
        (.malformed, { $0.baseSeq = .max }),
        (.malformed, { $0.records[0] = record(bytes: 611) }),
        (.tooLarge, { $0.records[0] = record(bytes: Limits.blobBytes + 1) }),
        (.tooLarge, { $0.records = (0..<4).map { _ in record(bytes: Limits.blobBytes) } }),
        (.tooLarge, { $0.records = (0..<1_001).map { _ in record() } }),
        (.unprocessable, { $0.records[0].blobHash = Data(randomBytes(32)) }),
        (.unprocessable, { $0.records[0].revision = 0 }),
        (.unprocessable, { $0.records[0].revision = .max }),
        (.unprocessable, { $0.records[0] = record(Array(first.recordID), revision: 5) }),
        (.unprocessable, { $0.records.append($0.records[0]) }),
      ]
      for (index, (problem, fault)) in faults.enumerated() {
        var commit = alice.commit([record()])
        fault(&commit)
        #expect(
          try await alice.web.send(.post, Route.commits, commit).problem == problem, "\(index)")
      }
      #expect(try await alice.push(alice.commit([])).status == 200)
    }
  }

  @Test func `the largest commit fits, in both formats`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let largest = (0..<1_000).map { _ in record(bytes: Limits.commitBytes / 1_000) }
      #expect(try await alice.push(alice.commit(largest)).status == 200)
      alice.web.isJSON = true
      let again = (0..<1_000).map { _ in record(bytes: Limits.commitBytes / 1_000) }
      #expect(try await alice.push(alice.commit(again)).status == 200)
      #expect(try await alice.push(alice.commit([record(bytes: Limits.blobBytes)])).status == 200)
    }
  }

  @Test func `a user commits so often at once, then once a second`() async throws {
    let server = try TestServer { $0.commitRate = .init(burst: 3, interval: .seconds(1)) }
    try await server.run { visitor in
      var alice = try await Owner.joined(visitor)
      for _ in 0..<3 { #expect(try await alice.push(alice.commit([])).status == 200) }
      let refused = try await alice.push(alice.commit([]))
      #expect(refused.problem == .tooManyRequests && refused.headers[.retryAfter] == "1")
      var bob = try await Owner.joined(visitor, name: "bob")
      #expect(try await bob.push(bob.commit([])).status == 200)
      server.pass(.seconds(1))
      #expect(try await alice.push(alice.commit([])).status == 200)
    }
  }

  @Test func `a quota used up is told with the vault`() async throws {
    try await TestServer { $0.policy.quotaRecords = 2 }.run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record(), record()]))
      let answer = try await alice.push(alice.commit([record()]))
      #expect(answer.problem == .quotaExceeded && answer.details?.vault.records == 2)
    }
  }

  @Test func `a record is had by its id, with its hash as tag`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let id = randomBytes(16)
      let (old, new) = (record(id, revision: 1), record(id, revision: 3))
      _ = try await alice.push(alice.commit([old, new]))
      let path = Route.records + "/" + Hex.encode(id)
      let answer = try await alice.web.send(.get, path)
      let tag = try #require(answer.headers[.eTag])
      #expect(tag == "\"\(Hex.encode(new.blobHash))\"")
      #expect(try answer.message(WireRecord.self).blob == new.blob)
      for known in [tag, "W/\(tag)", "*", "\"x\", \(tag)"] {
        let same = try await alice.web.send(.get, path, nil, [.ifNoneMatch: known])
        #expect(same.status == 304 && same.body.isEmpty && same.headers[.eTag] == tag)
      }
      let list = try await alice.web.send(.get, path + "/revisions").message(WireRevisions.self)
      #expect(list.revisions.map(\.revision) == [3, 1])
      #expect(list.revisions.map(\.blobHash) == [new.blobHash, old.blobHash])
      let first = try await alice.web.send(.get, path + "/revisions/1").message(WireRecord.self)
      #expect(first.blob == old.blob)
      #expect(try await alice.web.send(.get, path + "/revisions/2").problem == .notFound)
      #expect(try await alice.web.send(.get, path + "/revisions/x").problem == .malformed)
      #expect(try await alice.web.send(.get, Route.records + "/zz").problem == .malformed)
      let absent = Route.records + "/" + Hex.encode(randomBytes(16))
      #expect(try await alice.web.send(.get, absent).problem == .notFound)
      #expect(try await alice.web.send(.get, absent + "/revisions").problem == .notFound)
    }
  }

  @Test func `fetch takes whole rows, at most a thousand`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      var fetch = WireRecordsFetch()
      for (count, problem) in [(47, Problem.malformed), (48 * 1_001, .tooLarge)] {
        fetch.rows = Data(randomBytes(count))
        #expect(try await alice.web.send(.post, Route.recordsFetch, fetch).problem == problem)
      }
      fetch.rows = Data()
      let none = try await alice.web.send(.post, Route.recordsFetch, fetch)
      #expect(try none.message(WireRecordsFetched.self) == WireRecordsFetched())
    }
  }

  @Test func `a fetch answers as much as fits, and says how much`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let records = (0..<5).map { _ in record(bytes: Limits.blobBytes) }
      for part in [records[..<3], records[3...]] {
        #expect(try await alice.push(alice.commit(Array(part))).status == 200)
      }
      var fetch = WireRecordsFetch()
      fetch.rows = records.reduce(Data()) { $0 + $1.recordID + $1.blobHash }
      let answer = try await alice.web.send(.post, Route.recordsFetch, fetch)
        .message(WireRecordsFetched.self)
      #expect(answer.answered == 3 && answer.records.map(\.blob) == records[..<3].map(\.blob))
    }
  }
}
