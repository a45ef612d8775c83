// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import VaultProtocol
import VaultServer

@testable import StoreConformance

@Suite struct SQLiteCrashTests {
  @Test func `C12: what was acknowledged before a kill is there, once, after it`() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path("vault.sqlite")
    let log = folder.path("acknowledged")
    var generator = SeededGenerator(for: "what was acknowledged before a kill is there, once")
    for _ in 0..<8 {
      try Data().write(to: URL(filePath: log))
      let delay = Int.random(in: 500...60_000, using: &generator)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, log = log as String, delay = delay as Int] in
        try await Committers(path: path, log: log).run(killedAfter: delay)
      }
      try await expectEverything(in: path, acknowledgedIn: log)
    }
  }

  private func expectEverything(in path: String, acknowledgedIn log: String) async throws {
    let store = try SQLiteStore(path: path)
    #expect(try await store.check().faults == [])
    for (user, last) in try acknowledged(in: log) {
      let life = Life(user: user)
      let head = try await store.vault(caller: life.caller, now: Life.start).head
      // The commit on its way when the kill came is there wholly or not at all; sent again, it is
      // there once.
      #expect([last + 1, last + 2].contains(head.seq))
      let next = life.commit(last + 1)
      for _ in 0..<2 {
        let outcome = try await store.apply(next, caller: life.caller, now: Life.start)
        #expect(outcome == .accepted(seq: last + 2))
      }
      let feed = FeedRequest(cursor: nil, headsFrom: nil, limit: 1 << 30, rowsOnly: false)
      let page = try await store.changes(feed, caller: life.caller, now: Life.start)
      #expect(page.rows == life.rows(through: last + 1))
      for number in 1...(last + 1) {
        let written = life.commit(number).revisions[0]
        let read = try await store.revision(
          number, of: written.record, caller: life.caller, now: Life.start)
        #expect(read == written)
      }
    }
    #expect(try await store.check().faults == [])
    await store.close()
  }

  /// The last acknowledged commit of each user in the log.
  private func acknowledged(in log: String) throws -> [UserID: UInt64] {
    var last: [UserID: UInt64] = [:]
    for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      let user = try #require(Hex.decode(words[0]).flatMap { UserID($0) })
      last[user] = UInt64(words[1]) ?? 0
    }
    return last
  }
}

/// A user whose every commit follows from its number, in any process.
private struct Life: Sendable {
  static let start = Timestamp(milliseconds: 1_800_000_000_000)

  var user: UserID

  var caller: Caller {
    Caller(user: user, session: SessionID(number: 1), tokenHash: bytes32(2))
  }

  var account: NewAccount {
    NewAccount(
      user: user, nameKey: bytes32(0), registrationHash: bytes32(1),
      credential: Credential(secretsVersion: 1, profile: 2, record: blob(1, 192)),
      keys: KeyMaterial(
        passwordSlot: blob(2), recovery: RecoveryKit(slot: blob(3), publicKey: blob(4, 32)),
        keyring: blob(5)),
      generation: 1, epoch: 1, commitID: CommitID(number: 0), head: blob(6))
  }

  /// The commit that makes head `number` + 1: one of five records, at revision `number`.
  func commit(_ number: UInt64) -> Commit {
    let content = blob(number, 612 + Int(number) * 37 % 2_000)
    let record = RecordID(number: UInt128(number % 5))
    return Commit(
      id: CommitID(number: UInt128(number)), baseSeq: number, generation: 1, epoch: 1,
      revisions: [Revision(record, number, content)], head: blob(number))
  }

  /// The feed after that many commits.
  func rows(through last: UInt64) -> [FeedRow] {
    ((last > 4 ? last - 4 : 1)...last).map { number in
      commit(number).revisions[0].row(seq: number + 1)
    }
  }

  private func blob(_ number: UInt64, _ count: Int = 612) -> Data {
    Data((0..<count).map { UInt8(truncatingIfNeeded: UInt64($0) &* (number | 1) &+ number) })
  }

  private func bytes32<Purpose>(_ tail: UInt8) -> Bytes32<Purpose> {
    let bytes = user.bytes + Array(repeating: tail, count: 16)
    guard let value = Bytes32<Purpose>(bytes) else { preconditionFailure("32 bytes are 32") }
    return value
  }
}

/// Writers that commit until the process is killed, and log each acknowledged commit.
private struct Committers {
  var path: String
  var log: String

  func run(killedAfter microseconds: Int) async throws {
    let store = try SQLiteStore(path: path)
    let lives = (0..<6).map { _ in Life(user: UserID(number: .random(in: 0 ... .max))) }
    for life in lives {
      _ = try await store.createAccount(life.account, now: Life.start)
      let version = try await store.credentialVersion(of: life.account)
      _ = try await store.createSession(
        NewSession(caller: life.caller, credentialVersion: version), now: Life.start)
      try acknowledge(life, 0)
    }
    Thread.detachNewThread {
      usleep(UInt32(microseconds))
      kill(getpid(), SIGKILL)
    }
    await withThrowingTaskGroup { group in
      for life in lives {
        group.addTask {
          for number: UInt64 in 1... {
            let outcome = try await store.apply(
              life.commit(number), caller: life.caller, now: Life.start)
            guard outcome == .accepted(seq: number + 1) else { exit(1) }
            try acknowledge(life, number)
          }
        }
      }
    }
  }

  /// One write to a file opened for appending: whole, and it outlives the process.
  private func acknowledge(_ life: Life, _ number: UInt64) throws {
    let line = Array("\(life.user) \(number)\n".utf8)
    let file = open(log, O_WRONLY | O_APPEND)
    defer { close(file) }
    try #require(write(file, line, line.count) == line.count)
  }
}
