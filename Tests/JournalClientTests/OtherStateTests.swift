// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import SwiftProtobuf
import TestSupport
import Testing

@testable import JournalClient

@Suite struct OtherStateTests {
  let test = TestJournal()

  @Test func `preferences are kept field by field`() throws {
    let journal = try test.create()
    #expect(try journal.audioPreferences() == AudioPreferences())
    try journal.setAudioPreferences { $0.volume = 0.25 }
    try journal.setAudioPreferences { $0.autoplay = true }
    let read = try test.open().audioPreferences()
    #expect(read.volume == 0.25 && read.autoplay == true && read.muted == nil)
    #expect(throws: JournalError.self) { try journal.setAudioPreferences { $0.volume = 1.5 } }
    #expect(try journal.list().isEmpty, "it is no entry")
  }

  @Test func `of plays the newest fifty stay, each once`() throws {
    let journal = try test.create()
    let plays = (0..<60).map { Play(trackID: "t\($0 % 7)", playedAt: Instant(milliseconds: $0)) }
    try journal.addPlays(plays.shuffled())
    try journal.addPlays(Array(plays.suffix(10)))
    #expect(try journal.recentlyPlayed() == plays.suffix(50).reversed())
    try journal.clearRecentlyPlayed()
    #expect(try journal.recentlyPlayed().isEmpty)
  }

  @Test func `the queue state stays on this device unless it is asked to sync`() throws {
    let journal = try test.create()
    try journal.setQueueState("[1]")
    let local = try journal.store.read { (store) throws(JournalError) in try store.recordCount() }
    #expect(local == 0)
    try journal.setQueueState("[2]", synced: true)
    let synced = try journal.store.read { (store) throws(JournalError) in try store.recordCount() }
    #expect(synced == 1)
    #expect(try test.open().queueState() == "[2]")
    #expect(throws: JournalError.self) { try journal.setQueueState("no JSON") }
  }

  @Test func `fields of a newer version survive an edit at both levels`() throws {
    let journal = try test.create()
    let keys = try journal.keys.unlocked()
    var entry = Entry(id: .make(), content: "one", createdAt: Instant(milliseconds: 1))
    // Field 99, a varint, in the entry; field 98 in the record.
    entry.message = try PayloadEntry(
      serializedBytes: try entry.message.serializedBytes() + [0x98, 0x06, 0x07] as [UInt8])
    let made = entry
    try journal.store.write { (store) throws(JournalError) in
      var record = Record(
        id: made.id, kind: .entry, content: try made.encode(),
        updatedAt: Instant(milliseconds: 1), parents: [], device: .make())
      let bytes: [UInt8] = try record.encode() + [0x90, 0x06, 0x05]
      do {
        record = try Record(id: made.id, decoding: bytes)
      } catch {
        throw .damaged(ids: [])
      }
      try store.append(record, over: nil, try store.writableState(keys), keys)
    }
    try journal.edit(made.id) { $0.content = "two" }
    let current = try journal.store.read { (store) throws(JournalError) in
      try store.current(made.id)
    }
    let record = try #require(try current?.sealed.open(with: keys))
    #expect(try record.encode().contains([0x90, 0x06, 0x05]))
    #expect(record.content.contains([0x98, 0x06, 0x07]))
    #expect(try journal.entry(made.id).content == "two")
  }

  @Test func `a record of a kind that is not known is kept and not shown`() throws {
    let journal = try test.create()
    let keys = try journal.keys.unlocked()
    try journal.store.write { (store) throws(JournalError) in
      let record = Record(
        id: .make(), kind: RecordKind(rawValue: 200), content: [1, 2, 3],
        updatedAt: Instant(milliseconds: 1), parents: [], device: .make())
      try store.append(record, over: nil, try store.writableState(keys), keys)
    }
    #expect(try journal.list().isEmpty)
    #expect(try journal.check().quarantined == 0)
  }

  @Test func `random bytes are no record and never trap`() throws {
    var random = SeededGenerator(for: #function)
    let record = Record(
      id: .make(), kind: .entry,
      content: try Entry(id: .make(), content: "one", createdAt: Instant(milliseconds: 1)).encode(),
      updatedAt: Instant(milliseconds: 1), parents: [.zero], device: .make())
    let whole = try record.encode()
    for _ in 0..<3000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      if let read = try? Record(id: record.id, decoding: bytes) { _ = Entry(read) }
    }
  }
}
