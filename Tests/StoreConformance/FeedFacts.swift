// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension Fact {
  static let feed = [
    Fact("pages give every record once, in order of seq and record id") { store in
      let person = try await Person(store)
      var expected: [FeedRow] = []
      for seq: UInt64 in 2...5 {
        let revisions = (0..<10).map { _ in Revision.random() }
        try await person.apply(person.commit(revisions))
        expected += revisions.sorted { $0.record < $1.record }.map { $0.row(seq: seq) }
      }
      for limit in [1, 612, 7 * 612 + 1, 40 * 612] {
        var rows: [FeedRow] = []
        var page = try await person.changes(limit: limit)
        #expect(page.rows.count == max(1, limit / 612))
        rows += page.rows
        while page.hasMore {
          page = try await person.changes(page.cursor, limit: limit)
          #expect(!page.rows.isEmpty)
          rows += page.rows
        }
        #expect(rows == expected)
        #expect(page.cursor == FeedCursor(generation: 1, seq: 5, record: nil))
        #expect(try await person.changes(page.cursor).rows.isEmpty)
      }
    },
    Fact("an edited record comes again, with its newest revision alone") { store in
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record), .random())
      let cursor = try await person.changes().cursor
      try await person.write(.random(record, 2))
      let newest = Revision.random(record, 3)
      try await person.write(newest)
      #expect(try await person.changes(cursor).rows == [newest.row(seq: 4)])
    },
    Fact("the smallest and the greatest record id come once each") { store in
      let person = try await Person(store)
      let ids = [RecordID(number: 0), RecordID(number: 1), RecordID(number: .max)]
      try await person.apply(person.commit(ids.map { .random($0) }))
      let start = FeedCursor(generation: 1, seq: 1, record: nil)
      #expect(try await person.changes(start).rows.map(\.record) == ids)
      let within = FeedCursor(generation: 1, seq: 2, record: ids[0])
      #expect(try await person.changes(within).rows.map(\.record) == Array(ids[1...]))
      let end = FeedCursor(generation: 1, seq: 2, record: ids[2])
      #expect(try await person.changes(end).rows.isEmpty)
    },
    Fact("rows alone come without blobs, 56 bytes each") { store in
      let person = try await Person(store)
      try await person.apply(person.commit((0..<20).map { _ in .random(bytes: 3_000) }))
      let page = try await person.changes(limit: 10 * 56, rowsOnly: true)
      #expect(page.rows.count == 10)
      #expect(page.hasMore)
      let rest = try await person.changes(page.cursor, limit: 10 * 56, rowsOnly: true)
      #expect(!rest.hasMore)
      var whole = try await person.changes().rows
      for index in whole.indices { whole[index].blob = nil }
      #expect(page.rows + rest.rows == whole)
    },
    Fact("a cursor of another generation or ahead of the head starts anew") { store in
      let person = try await Person(store, generation: 2)
      try await person.write(.random())
      let cursors = [
        FeedCursor(generation: 1, seq: 1, record: nil),
        FeedCursor(generation: 3, seq: 1, record: nil),
        FeedCursor(generation: 2, seq: 3, record: nil),
        FeedCursor(generation: 2, seq: .max, record: .random()),
      ]
      for cursor in cursors {
        let page = try await person.changes(cursor)
        #expect(page.isReset)
        #expect(page.rows.isEmpty)
        #expect(page.hasMore)
        #expect(try await person.changes(page.cursor).rows.count == 1)
      }
    },
    Fact("heads lead from the pin to the newest along links that each head has") { store in
      let person = try await Person(store)
      var heads = [Head(seq: 1, blob: person.account.head, hash: .of(person.account.head))]
      for seq: UInt64 in 2...70 {
        let commit = try await person.commit()
        try await person.apply(commit)
        heads.append(Head(seq: seq, blob: commit.head, hash: .of(commit.head)))
      }
      for pin: UInt64 in [1, 2, 15, 16, 17, 63, 64, 65, 69, 70] {
        let path = try await person.changes(headsFrom: pin).heads
        #expect(path.first?.seq == pin)
        #expect(path.last?.seq == 70)
        for head in path { #expect(head == heads[Int(head.seq) - 1]) }
        for (older, newer) in zip(path, path.dropFirst()) {
          let links = [newer.seq - 1] + [4, 16, 64].map { (newer.seq - 1) / $0 * $0 }
          #expect(links.contains(older.seq))
        }
      }
      #expect(
        try await person.changes(headsFrom: 1).heads.map(\.seq)
          == [1, 2, 3, 4, 8, 12, 16, 32, 48, 64, 70])
      for pin: UInt64? in [nil, 0, 70, 71, .max] {
        #expect(try await person.changes(headsFrom: pin).heads == [heads[69]])
      }
    },
    Fact("blobs are fetched by their rows, in order, up to the limit") { store in
      let person = try await Person(store)
      let revisions = (0..<6).map { _ in Revision.random(bytes: 1_000) }
      try await person.apply(person.commit(revisions))
      let keys = revisions.reversed().map { RowKey(record: $0.record, hash: $0.hash) }
      let current = revisions.reversed().map { FetchedRow.current($0) }
      for (limit, count) in [(0, 1), (999, 1), (3_999, 3), (4_000, 4), (1 << 20, 6)] {
        let answers = try await store.fetch(
          keys, limit: limit, caller: person.caller, now: start)
        #expect(answers == Array(current.prefix(count)))
      }
      #expect(try await store.fetch([], limit: 9, caller: person.caller, now: start).isEmpty)
    },
    Fact("a row that is no longer current, or never was, has moved") { store in
      let person = try await Person(store)
      let old = Revision.random()
      try await person.write(old)
      let new = Revision.random(old.record, 2)
      try await person.write(new)
      let unknown = RecordID.random()
      let keys = [
        RowKey(record: old.record, hash: old.hash), RowKey(record: unknown, hash: new.hash),
        RowKey(record: new.record, hash: new.hash),
      ]
      #expect(
        try await store.fetch(keys, limit: 1 << 20, caller: person.caller, now: start)
          == [.moved(old.record), .moved(unknown), .current(new)])
    },
    Fact("a page and its heads are of one snapshot") { store in
      let person = try await Person(store)
      let writer = Task { for _ in 0..<40 { try await person.write(.random()) } }
      var last: UInt64 = 0
      while last < 41 {
        let page = try await person.changes(headsFrom: 1)
        last = page.vault.head.seq
        #expect(page.rows.count == page.vault.recordCount)
        #expect(page.rows.count == Int(last) - 1)
        #expect(page.heads.last == page.vault.head)
        #expect(page.cursor.seq == last)
      }
      try await writer.value
    },
  ]

  static let history = [
    Fact("older revisions are kept and read back, newest first") { store in
      let person = try await Person(store)
      let record = RecordID.random()
      let revisions = [1, 2, 5].map { Revision.random(record, $0, bytes: 700 + Int($0)) }
      for revision in revisions { try await person.write(revision) }
      let kept = try await store.revisions(of: record, caller: person.caller, now: start)
      #expect(kept.map(\.number) == [5, 2, 1])
      #expect(kept.map(\.hash) == revisions.reversed().map(\.hash))
      #expect(kept.map(\.bytes) == [705, 702, 701])
      #expect(kept.map(\.seq) == [4, 3, 2])
      for revision in revisions {
        let read = try await store.revision(
          revision.number, of: record, caller: person.caller, now: start)
        #expect(read == revision)
      }
      for number: UInt64 in [0, 3, 6, UInt64(Int64.max), .max] {
        let read = try await store.revision(number, of: record, caller: person.caller, now: start)
        #expect(read == nil)
      }
      #expect(try await store.record(.random(), caller: person.caller, now: start) == nil)
      #expect(try await store.revisions(of: .random(), caller: person.caller, now: start) == [])
    },
    Fact(
      "of old revisions the last few stay, of young ones all",
      policy: policy {
        $0.historyCount = 3
        $0.historyAge = .seconds(100)
      }
    ) { store in
      let person = try await Person(store)
      let record = RecordID.random()
      func kept() async throws -> [UInt64] {
        try await store.revisions(of: record, caller: person.caller, now: start).map(\.number)
      }
      for number: UInt64 in 1...8 { try await person.write(.random(record, number)) }
      #expect(try await kept() == [8, 7, 6, 5, 4, 3, 2, 1])
      for number: UInt64 in 9...14 {
        try await person.write(.random(record, number), now: start + .seconds(100))
      }
      // 1…7 were replaced at the start and have aged; 8…13 are young.
      #expect(try await kept() == [14, 13, 12, 11, 10, 9, 8])
      for number: UInt64 in 15...18 {
        try await person.write(.random(record, number), now: start + .seconds(300))
      }
      #expect(try await kept() == [18, 17, 16, 15, 14])
      try await person.expectClean()
    },
    Fact(
      "history has a bound of its own: what was replaced first goes, of whichever record",
      policy: policy { $0.historyBytes = 3_000 }
    ) { store in
      let person = try await Person(store)
      let (first, second) = (RecordID.random(), RecordID.random())
      func kept(_ record: RecordID) async throws -> [UInt64] {
        try await store.revisions(of: record, caller: person.caller, now: start).map(\.number)
      }
      for (index, record) in [first, second].enumerated() {
        for number: UInt64 in 1...3 {
          let now = start + .seconds(Int64(index) * 10 + Int64(number))
          try await person.write(.random(record, number, bytes: 1_000), now: now)
        }
      }
      // Of four replaced the three that were replaced last.
      #expect(try await kept(first) == [3, 2])
      #expect(try await kept(second) == [3, 2, 1])
      #expect(try await person.vault().historyBytes == 3_000)
      // One commit with more than all of it leaves no more than it may.
      let many = (4...9).map { Revision.random(second, $0, bytes: 2_000) }
      #expect(
        try await person.apply(person.commit(many), now: start + .seconds(60)) == .accepted(seq: 8))
      #expect(try await person.vault().historyBytes <= 3_000)
      #expect(try await kept(first) == [3])
      #expect(try await kept(second).first == 9)
      try await person.expectClean()
    },
    Fact(
      "with no history only the current revision stays",
      policy: policy {
        $0.historyCount = 0
        $0.historyAge = .zero
      }
    ) { store in
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record), .random(record, 2))
      try await person.write(.random(record, 3))
      let kept = try await store.revisions(of: record, caller: person.caller, now: start)
      #expect(kept.map(\.number) == [3])
      #expect(try await person.vault().historyBytes == 0)
      try await person.expectClean()
    },
  ]
}
