// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VaultProtocol
import VaultServer

extension Fact {
  static let commits = [
    Fact("an accepted commit moves the head and is read back byte for byte") { store in
      let person = try await Person(store)
      let revisions = [Revision.random(bytes: 700), .random(bytes: 2_000)]
      let commit = try await person.commit(revisions)
      #expect(try await person.apply(commit) == .accepted(seq: 2))
      let vault = try await person.vault()
      #expect(vault.head == Head(seq: 2, blob: commit.head, hash: .of(commit.head)))
      #expect(vault.recordCount == 2)
      #expect(vault.bytes == 2_700)
      #expect(vault.historyBytes == 0)
      for revision in revisions {
        let read = try await store.record(revision.record, caller: person.caller, now: start)
        #expect(read == revision)
      }
      try await person.expectClean()
    },
    Fact("a repeat gets the first answer and changes nothing, whatever came since") { store in
      let person = try await Person(store)
      let record = RecordID.random()
      let commit = try await person.commit([.random(record)])
      #expect(try await person.apply(commit) == .accepted(seq: 2))
      #expect(try await person.apply(commit) == .accepted(seq: 2))
      try await person.write(.random(record, 2))
      #expect(try await person.apply(commit) == .accepted(seq: 2))
      #expect(try await person.vault().head.seq == 3)
      #expect(try await person.everything()[record]?.revision == 2)
    },
    Fact("a known commit id with another body is refused") { store in
      let person = try await Person(store)
      let commit = try await person.commit([.random()])
      try await person.apply(commit)
      var changes = [commit, commit, commit, commit]
      changes[0].revisions = [.random()]
      changes[1].head = .blob()
      changes[2].revisions = []
      changes[3].revisions[0].number += 1
      for change in changes {
        #expect(try await person.apply(change) == .refused(.idReused))
      }
      #expect(try await person.vault().head.seq == 2)
    },
    Fact("a commit on another base, generation or epoch conflicts and leaves nothing") { store in
      let person = try await Person(store, generation: 5, epoch: 5)
      try await person.write(.random())
      let vault = try await person.vault()
      let changes: [(inout Commit) -> Void] = [
        { $0.baseSeq = 1 }, { $0.baseSeq = 3 }, { $0.baseSeq = 0 }, { $0.generation = 4 },
        { $0.generation = 6 }, { $0.epoch = 4 }, { $0.epoch = 6 },
      ]
      for change in changes {
        var commit = try await person.commit([.random()])
        change(&commit)
        #expect(try await person.apply(commit) == .conflict(vault))
        // A conflict is not remembered: the id may yet be accepted.
        #expect(try await person.apply(commit) == .conflict(vault))
      }
      #expect(try await person.vault() == vault)
      #expect(try await person.everything().count == 1)
    },
    Fact("a revision must be greater than the stored one; gaps and any first are fine") { store in
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record, 7))
      for number: UInt64 in [1, 6, 7] {
        let commit = try await person.commit([.random(), .random(record, number)])
        #expect(
          try await person.apply(commit) == .refused(.revisionNotGreater(record, stored: 7)))
      }
      #expect(try await person.everything().count == 1)
      try await person.write(.random(record, 1_000))
      try await person.write(.random(record, UInt64(Int64.max)))
      for number in [0, UInt64(Int64.max) + 1, .max] {
        let other = RecordID.random()
        let commit = try await person.commit([.random(other, number)])
        #expect(
          try await person.apply(commit) == .refused(.revisionNotGreater(other, stored: 0)))
      }
    },
    Fact("several revisions of a record in one commit ascend; the last one is current") { store in
      let person = try await Person(store)
      let record = RecordID.random()
      let ascending = [Revision.random(record, 1), .random(record, 2), .random(record, 5)]
      let commit = try await person.commit(ascending)
      #expect(try await person.apply(commit) == .accepted(seq: 2))
      #expect(try await person.everything() == [record: ascending[2].row(seq: 2)])
      let kept = try await store.revisions(of: record, caller: person.caller, now: start)
      #expect(kept.map(\.number) == [5, 2, 1])
      let wrong = try await person.commit([.random(record, 7), .random(record, 6)])
      #expect(
        try await person.apply(wrong) == .refused(.revisionNotGreater(record, stored: 7)))
      try await person.expectClean()
    },
    Fact("a blob that has not the claimed hash refuses the whole commit") { store in
      let person = try await Person(store)
      var commit = try await person.commit([.random(), .random()])
      commit.revisions[1].hash = .random()
      let record = commit.revisions[1].record
      #expect(try await person.apply(commit) == .refused(.hashMismatch(record)))
      #expect(try await person.everything().isEmpty)
      #expect(try await person.vault().head.seq == 1)
    },
    Fact("counts and sizes at the limit are stored, those beyond it refused") { store in
      let person = try await Person(store)
      let largest = Revision.random(bytes: 1_081_444)
      try await person.write(largest)
      #expect(
        try await store.record(largest.record, caller: person.caller, now: start) == largest)
      let blob = Data.blob()
      let thousand = (0..<1_000).map { _ in Revision(.random(), 1, blob) }
      #expect(try await person.apply(person.commit(thousand)) == .accepted(seq: 3))
      let more = try await person.commit(thousand + [.random()])
      #expect(try await person.apply(more) == .refused(.tooManyRecords(1_001)))
      for bytes in [0, 611, 1_081_445] {
        let revision = Revision.random(bytes: bytes)
        let commit = try await person.commit([revision])
        #expect(
          try await person.apply(commit)
            == .refused(.blobSize(revision.record, bytes: bytes)))
      }
      let heavy = try await person.commit((0..<4).map { _ in .random(bytes: 1_081_444) })
      #expect(try await person.apply(heavy) == .refused(.tooManyBytes(4 * 1_081_444)))
      for bytes in [0, 611, 4_097] {
        var commit = try await person.commit()
        commit.head = .blob(bytes)
        #expect(try await person.apply(commit) == .refused(.fieldSize("head", bytes: bytes)))
      }
    },
    Fact(
      "a commit beyond the quota is refused; one that makes nothing grow is not",
      policy: policy { $0.quotaBytes = 2_000 }
    ) { store in
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record, 1, bytes: 1_400))
      let vault = try await person.vault()
      let second = try await person.commit([.random()])
      #expect(try await person.apply(second) == .quotaExceeded(vault))
      #expect(try await person.vault() == vault)
      // Older revisions are outside the quota.
      for number: UInt64 in 2...5 { try await person.write(.random(record, number, bytes: 1_400)) }
      try await person.write(.random(record, 6, bytes: 1_388))
      try await person.write(.random())
      #expect(try await person.vault().bytes == 2_000)
      #expect(try await person.vault().historyBytes == 5 * 1_400)
    },
    Fact(
      "records are counted against their quota, and edits are not records",
      policy: policy { $0.quotaRecords = 2 }
    ) { store in
      let person = try await Person(store)
      let record = RecordID.random()
      try await person.write(.random(record), .random())
      let vault = try await person.vault()
      let third = try await person.commit([.random()])
      #expect(try await person.apply(third) == .quotaExceeded(vault))
      try await person.write(.random(record, 2, bytes: 5_000))
    },
    Fact("a commit of no records moves the head") { store in
      let person = try await Person(store)
      try await person.write()
      #expect(try await person.vault().head.seq == 2)
    },
  ]
}
