// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension Fact {
  static let concurrency = [
    Fact("of concurrent commits on one base exactly one is accepted") { store in
      let person = try await Person(store)
      for round: UInt64 in 1...4 {
        let base = try await person.commit()
        let outcomes = try await withThrowingTaskGroup { group in
          for _ in 0..<24 {
            group.addTask {
              var commit = base
              commit.id = .random()
              commit.revisions = [.random()]
              return try await person.apply(commit)
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .accepted(seq: round + 1) } == 1)
        let conflicts = outcomes.count { if case .conflict = $0 { true } else { false } }
        #expect(conflicts == 23)
        #expect(try await person.everything().count == Int(round))
      }
      try await person.expectClean()
    },
    Fact("one commit sent many times at once is stored once and accepted every time") { store in
      let person = try await Person(store)
      let commit = try await person.commit([.random()])
      let outcomes = try await withThrowingTaskGroup { group in
        for _ in 0..<24 { group.addTask { try await person.apply(commit) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.allSatisfy { $0 == .accepted(seq: 2) })
      #expect(try await person.vault().head.seq == 2)
      #expect(try await person.everything().count == 1)
    },
    Fact("commits of many users at once all land, a refused one among them not") { store in
      let people = try await withThrowingTaskGroup { group in
        for _ in 0..<12 { group.addTask { try await Person(store) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try await withThrowingTaskGroup { group in
        for person in people {
          group.addTask {
            for _ in 0..<8 {
              try await person.write(.random())
              let record = RecordID.random()
              var wrong = try await person.commit([.random(record)])
              wrong.revisions[0].hash = .random()
              #expect(try await person.apply(wrong) == .refused(.hashMismatch(record)))
            }
          }
        }
        try await group.waitForAll()
      }
      for person in people { #expect(try await person.everything().count == 8) }
    },
    Fact("reading to the end while others write misses nothing") { store in
      let person = try await Person(store)
      let records = (0..<40).map { _ in RecordID.random() }
      for part in stride(from: 0, to: 40, by: 20) {
        let first = records[part..<(part + 20)].map { Revision.random($0) }
        #expect(
          try await person.apply(person.commit(first)) == .accepted(seq: UInt64(part / 20) + 2))
      }
      let writer = Task {
        for number: UInt64 in 2...30 {
          let record = try #require(records.randomElement())
          let last = try await person.store.record(record, caller: person.caller, now: start)
          try await person.write(.random(record, (last?.number ?? 0) + number))
        }
      }
      var seen: [RecordID: UInt64] = [:]
      var cursor: FeedCursor?
      var isAtEnd = false
      repeat {
        let page = try await person.changes(cursor, limit: 3 * 612)
        #expect(page.rows.count <= 3)
        for row in page.rows {
          #expect(row.revision > seen[row.record] ?? 0, "a row came twice unchanged")
          seen[row.record] = row.revision
        }
        #expect(page.heads.last?.seq == page.vault.head.seq)
        cursor = page.cursor
        if !page.hasMore, seen.count < 40 { Issue.record("only \(seen.count) of 40 were seen") }
        isAtEnd = !page.hasMore && page.vault.head.seq == 32
      } while !isAtEnd
      try await writer.value
      #expect(try await person.everything().mapValues(\.revision) == seen)
      try await person.expectClean()
    },
    Fact("commits racing a deletion are either before it or refused") { store in
      let person = try await Person(store)
      let other = try await person.otherDevice()
      let writer = Task { () -> Int in
        var written = 0
        do {
          while true {
            try await other.write(.random())
            written += 1
          }
        } catch StoreError.gone {
          return written
        }
      }
      var deleted: DeletionSummary?
      while deleted == nil {
        let request = try await DeletionRequest.random(person.vault())
        deleted = try await person.delete(request)
      }
      #expect(try await writer.value == deleted?.records)
      try await person.expectClean()
    },
  ]
}
