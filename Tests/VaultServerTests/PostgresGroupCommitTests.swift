// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Testing
import VaultProtocol

@testable import StoreConformance
@testable import VaultServer

@Suite(.timeLimit(.minutes(1))) struct PostgresGroupCommitTests {
  /// Sends commits of the people while the only connection is away, so that they queue up.
  private func together(
    _ people: [Person], on store: PostgresStore
  ) async throws -> [Result<CommitOutcome, any Error>] {
    try await withThrowingTaskGroup(of: (Int, Result<CommitOutcome, any Error>).self) { group in
      var commits: [Commit] = []
      for person in people { commits.append(try await person.commit([.random()])) }
      try await store.pool.withConnection { (_) async throws(PostgresError) in
        for (index, person) in people.enumerated() {
          let commit = commits[index]
          group.addTask {
            do { return (index, .success(try await person.apply(commit))) } catch {
              return (index, .failure(error))
            }
          }
        }
        while store.commits.unansweredCount < people.count { await Task.yield() }
      }
      var outcomes = people.map { _ in Result<CommitOutcome, any Error>.success(.accepted(seq: 0)) }
      for try await (index, outcome) in group { outcomes[index] = outcome }
      return outcomes
    }
  }

  private func people(_ count: Int, _ store: PostgresStore) async throws -> [Person] {
    var people: [Person] = []
    for _ in 0..<count { people.append(try await Person(store)) }
    return people
  }

  @Test func `commits of several users share a transaction`() async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store(connections: 1)
      let people = try await people(16, store)
      for outcome in try await together(people, on: store) {
        #expect(try outcome.get() == .accepted(seq: 2))
      }
      let transactions = try await schema.connect().pipeline([
        .enterAsOperator,
        Statement("SELECT count(DISTINCT xmin::text) FROM commits WHERE seq = 2"),
      ])[1]
      #expect(try transactions[0].int8(0) <= 5)
      #expect(try await store.check().faults == [])
      await store.close()
    }
  }

  @Test func `a commit that the database refuses takes no other with it`() async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store(connections: 1)
      let people = try await people(8, store)
      let refused = people[6]
      try await schema.connect().script(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN RAISE EXCEPTION SQLSTATE ''53100''; END';
        CREATE TRIGGER refuse BEFORE INSERT ON commits FOR EACH ROW
          WHEN (NEW.user_id = '\(refused.user)'::uuid) EXECUTE FUNCTION refuse();
        """)
      let outcomes = try await together(people, on: store)
      for (person, outcome) in zip(people, outcomes) where person.user != refused.user {
        #expect(try outcome.get() == .accepted(seq: 2))
      }
      #expect(throws: StoreError.unavailable(.full)) { try outcomes[6].get() }
      #expect(try await refused.vault().head.seq == 1)
      #expect(try await store.check().faults == [])
      await store.close()
    }
  }

  @Test func `a queue that is full says so, and goes on`() async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store(connections: 1)
      let queue = PostgresCommitQueue(store.pool, store.turns, most: 2)
      var requests: [CommitRequest] = []
      for person in try await people(3, store) {
        requests.append(
          CommitRequest(try await person.commit(), person.caller, StorePolicy(), now: start))
      }
      let (first, second, third) = (requests[0], requests[1], requests[2])
      try await withThrowingTaskGroup(of: Void.self) { group in
        try await store.pool.withConnection { (_) async throws(PostgresError) in
          group.addTask { _ = try await queue.run(first) }
          group.addTask { _ = try await queue.run(second) }
          while queue.unansweredCount < 2 { await Task.yield() }
          await #expect(throws: StoreError.unavailable(.busy)) { _ = try await queue.run(third) }
        }
        try await group.waitForAll()
      }
      _ = try await queue.run(third)
      #expect(queue.unansweredCount == 0)
      await store.close()
    }
  }

  @Test func `one user's waiting takes one connection, however much of it there is`()
    async throws
  {
    try await PostgresSchema.with { schema in
      let store = try await schema.store(connections: 2)
      let (locked, free) = try await (Person(store), Person(store))
      let commits = try await [locked.commit(), locked.commit(), locked.commit()]
      let tag = try await locked.keyring().tag
      let holder = try await schema.connect()
      try await holder.pipeline(
        [Statement("BEGIN"), .enter(locked.user)] + Statement.lock(locked.user))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for commit in commits { group.addTask { try await locked.apply(commit) } }
        for _ in 0..<3 {
          group.addTask {
            _ = try await locked.putCredential(.random(.unchanged(tag), commit: nil))
          }
          group.addTask { _ = try await store.createSession(locked.login, now: start) }
        }
        for _ in 0..<40 { try await free.write(.random()) }
        try await holder.run(Statement("COMMIT"))
        try await group.waitForAll()
      }
      await store.close()
    }
  }

  @Test func `a vault that is locked keeps no other waiting`() async throws {
    try await PostgresSchema.with { schema in
      let store = try await schema.store()
      let (locked, free) = try await (Person(store), Person(store))
      let commit = try await locked.commit()
      let holder = try await schema.connect()
      try await holder.pipeline(
        [Statement("BEGIN"), .enter(locked.user)] + Statement.lock(locked.user))
      async let late = locked.apply(commit)
      for _ in 0..<8 { try await free.write(.random()) }
      try await holder.run(Statement("COMMIT"))
      #expect(try await late == .accepted(seq: 2))
      await store.close()
    }
  }
}
