// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import VaultProtocol
import VaultServer

/// What a vault should be, written down the plainest way.
private struct Model {
  var generation: UInt32 = 1
  var epoch: UInt32 = 1
  var seq: UInt64 = 1
  var isDeleted = false
  var records: [RecordID: [(revision: Revision, seq: UInt64)]] = [:]
  var accepted: [(commit: Commit, seq: UInt64)] = []

  var bytes: Int { records.values.reduce(0) { $0 + ($1.last?.revision.blob.count ?? 0) } }

  /// What the feed gives after `seq`.
  func rows(after seq: UInt64) -> [FeedRow] {
    records.values.compactMap(\.last).filter { $0.seq > seq }
      .sorted { ($0.seq, $0.revision.record) < ($1.seq, $1.revision.record) }
      .map { $0.revision.row(seq: $0.seq) }
  }

  mutating func accept(_ commit: Commit) {
    seq += 1
    for revision in commit.revisions {
      records[revision.record, default: []].append((revision, seq))
    }
    accepted.append((commit, seq))
  }
}

extension Fact {
  static let model = [
    Fact("a long random life is that of a plain model") { store in
      var generator = SeededGenerator(for: "a long random life is that of a plain model")
      let person = try await Person(store)
      let ids = (0..<12).map { _ in RecordID(number: .random(in: 0 ... .max, using: &generator)) }
      var model = Model()
      for _ in 0..<250 {
        try await step(&model, person, ids, &generator)
      }
      try await person.expectClean()
    }
  ]

  private static func step(
    _ model: inout Model, _ person: Person, _ ids: [RecordID],
    _ generator: inout SeededGenerator
  ) async throws {
    if model.isDeleted {
      let deletion = try #require(try await person.deletion())
      #expect(deletion.generation == model.generation)
      let outcome = try await person.begin(
        after: deletion, generation: model.generation + 1, epoch: model.epoch + 1)
      guard case .stored = outcome else {
        Issue.record("\(outcome)")
        return
      }
      model = Model(generation: model.generation + 1, epoch: model.epoch + 1)
      return
    }
    switch Int.random(in: 0..<100, using: &generator) {
    case 0..<50: try await commit(&model, person, ids, &generator)
    case 50..<60:
      guard let (commit, seq) = model.accepted.randomElement(using: &generator) else { return }
      #expect(try await person.apply(commit) == .accepted(seq: seq))
    case 60..<70:
      let vault = try await person.vault()
      #expect(vault.head.seq == model.seq)
      #expect(vault.recordCount == model.records.count)
      #expect(vault.bytes == model.bytes)
    case 70..<85:
      let after = UInt64.random(in: 0...model.seq, using: &generator)
      try await feed(model, person, after: after, &generator)
    case 85..<95:
      guard let id = ids.randomElement(using: &generator) else { return }
      let kept = try await person.store.revisions(of: id, caller: person.caller, now: start)
      #expect(kept.map(\.hash) == (model.records[id] ?? []).reversed().map(\.revision.hash))
    case 95..<98:
      let tag = try await person.keyring().tag
      var rotation = try await person.commit()
      rotation.epoch += 1
      _ = try await person.putCredential(.random(.unchanged(tag), commit: rotation))
      model.seq += 1
      model.epoch += 1
    default:
      _ = try await person.deleteVault(.random(person.vault()))
      model.isDeleted = true
    }
  }

  /// A commit that is right, or wrong in one way.
  private static func commit(
    _ model: inout Model, _ person: Person, _ ids: [RecordID],
    _ generator: inout SeededGenerator
  ) async throws {
    var commit = try await person.commit()
    for id in ids.shuffled(using: &generator).prefix(.random(in: 0...4, using: &generator)) {
      var number = model.records[id]?.last?.revision.number ?? 0
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        number += UInt64.random(in: 1...3, using: &generator)
        commit.revisions.append(
          .random(id, number, bytes: .random(in: 612...900, using: &generator)))
      }
    }
    switch Int.random(in: 0..<10, using: &generator) {
    case 0:
      commit.baseSeq &-= 1
      guard case .conflict = try await person.apply(commit) else {
        Issue.record("a commit on an older base was not a conflict")
        return
      }
    case 1:
      guard let last = commit.revisions.indices.last, commit.revisions[last].number > 1 else {
        return
      }
      commit.revisions[last].number = 0
      guard case .refused = try await person.apply(commit) else {
        Issue.record("revision 0 was not refused")
        return
      }
    default:
      #expect(try await person.apply(commit) == .accepted(seq: model.seq + 1))
      model.accept(commit)
    }
  }

  /// The feed after `seq`, in pages of a random size.
  private static func feed(
    _ model: Model, _ person: Person, after seq: UInt64, _ generator: inout SeededGenerator
  ) async throws {
    let limit = Int.random(in: 1...4_000, using: &generator)
    var cursor = FeedCursor(generation: model.generation, seq: seq, record: nil)
    var rows: [FeedRow] = []
    var hasMore = true
    while hasMore {
      let page = try await person.changes(cursor, limit: limit)
      rows += page.rows
      cursor = page.cursor
      hasMore = page.hasMore
    }
    #expect(rows == model.rows(after: seq))
  }
}
