// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Testing

@testable import JournalClient

@Suite struct MergeTests {
  private static let minute: Int64 = 60_000
  private static let start: Int64 = 1_790_000_000_000
  private let id = ObjectID.make()
  private let device = ObjectID.make()

  private func entry(_ content: String, title: String = "t", at time: Int64 = start) -> Record {
    let entry = Entry(
      id: id, title: title, content: content, createdAt: Instant(milliseconds: 0))
    return Record(
      id: id, kind: .entry, content: (try? entry.encode()) ?? [],
      updatedAt: Instant(milliseconds: time), parents: [], device: device)
  }

  private func tombstone(at time: Int64 = start) -> Record {
    Record(
      id: id, kind: .entry, content: [], updatedAt: Instant(milliseconds: time),
      deletedAt: Instant(milliseconds: time), parents: [], device: device)
  }

  private func decide(
    _ base: Record?, _ mine: Record, _ theirs: Record, _ rule: ConflictRule = .merge,
    now: Int64 = start + 100 * minute
  ) -> Merge {
    Merge(
      base: base, mine: mine, theirs: theirs, settings: MergeSettings(rule: rule),
      now: Instant(milliseconds: now))
  }

  @Test func `the same content on both sides is theirs`() {
    #expect(decide(nil, entry("x"), entry("x", at: 1)) == .theirs)
    #expect(decide(entry("b"), entry("x"), entry("x")) == .theirs)
  }

  @Test func `of one changed side, that side stays`() {
    #expect(decide(entry("b"), entry("b"), entry("x")) == .theirs)
    #expect(decide(entry("b"), entry("x"), entry("b")) == .mine)
  }

  @Test func `clean changes of both sides are merged`() throws {
    let merge = decide(entry("a\nb\nc"), entry("A\nb\nc"), entry("a\nb\nC"))
    guard case .merged(let content) = merge else {
      Issue.record("not merged: \(merge)")
      return
    }
    let merged = Record(
      id: id, kind: .entry, content: content, updatedAt: Instant(milliseconds: 0), parents: [],
      device: device)
    #expect(Entry(merged)?.content == "A\nb\nC")
  }

  @Test func `a changed title and a changed text are merged`() {
    let merge = decide(entry("b"), entry("b", title: "new"), entry("B"))
    guard case .merged = merge else {
      Issue.record("not merged: \(merge)")
      return
    }
  }

  @Test func `of clashing changes far apart in time, the later wins`() {
    let (early, late) = (Self.start, Self.start + 3 * Self.minute)
    #expect(decide(entry("b"), entry("m", at: late), entry("t", at: early)) == .mine)
    #expect(decide(entry("b"), entry("m", at: early), entry("t", at: late)) == .theirsOverMine)
  }

  @Test func `of clashing changes close in time, both are kept`() {
    let later = Self.start + Self.minute
    #expect(decide(entry("b"), entry("m", at: later), entry("t")) == .both)
    #expect(decide(entry("b"), entry("m"), entry("t", at: later)) == .both)
  }

  @Test func `a clock that is ahead decides nothing`() {
    let ahead = Self.start + 10 * Self.minute
    #expect(
      decide(entry("b"), entry("m"), entry("t", at: ahead), now: Self.start + Self.minute) == .both)
  }

  @Test func `a clock that is behind the base decides nothing`() {
    let base = entry("b", at: Self.start + 50 * Self.minute)
    #expect(
      decide(base, entry("m", at: Self.start), entry("t", at: Self.start + 60 * Self.minute))
        == .both)
  }

  @Test func `times at the ends of the range do not trap`() {
    #expect(decide(nil, entry("m", at: .min), entry("t", at: .max)) == .both)
  }

  @Test func `an edit outlives a deletion`() {
    #expect(decide(entry("b"), entry("m"), tombstone()) == .mine)
    #expect(decide(entry("b"), tombstone(), entry("t")) == .theirs)
  }

  @Test func `a deletion of what is unchanged here goes`() {
    #expect(decide(entry("b"), entry("b"), tombstone()) == .theirs)
    #expect(decide(entry("b"), tombstone(), entry("b")) == .mine)
    #expect(decide(entry("b"), tombstone(), tombstone()) == .theirs)
  }

  @Test func `without a base two texts are never mixed`() {
    #expect(decide(nil, entry("a\nb"), entry("a\nc")) == .both)
  }

  @Test func `the other rules are kept`() {
    let late = Self.start + 1
    #expect(
      decide(entry("a\nb"), entry("A\nb", at: late), entry("a\nB"), .lastWriteWins) == .mine)
    #expect(decide(entry("a\nb"), entry("A\nb"), entry("a\nB"), .keepBoth) == .both)
    #expect(decide(entry("a\nb"), entry("A\nb"), entry("a\nB"), .ask) == .both)
  }

  @Test func `audio preferences merge field by field`() throws {
    var mine = PayloadAudioPreferences()
    mine.muted.value = true
    mine.muted.writtenAt = 5
    mine.volume.value = 0.1
    mine.volume.writtenAt = 1
    var theirs = PayloadAudioPreferences()
    theirs.volume.value = 0.9
    theirs.volume.writtenAt = 2
    let merged = try #require(
      KindMerge.merge(
        .audioPreferences, mine: mine.serializedBytes(), theirs: theirs.serializedBytes()))
    let both = try PayloadAudioPreferences(serializedBytes: merged)
    #expect(both.muted.value && both.volume.value == 0.9)
  }

  @Test func `recently played lists are united, the newest fifty`() throws {
    func list(_ times: ClosedRange<Int64>) -> PayloadRecentlyPlayed {
      var list = PayloadRecentlyPlayed()
      list.plays = times.map { time in
        var play = PayloadRecentlyPlayed.Play()
        play.trackID = "track"
        play.playedAt = time
        return play
      }
      return list
    }
    let (mine, theirs) = (list(1...40), list(21...60))
    let merged = try #require(
      KindMerge.merge(
        .recentlyPlayed, mine: mine.serializedBytes(), theirs: theirs.serializedBytes()))
    let times = try PayloadRecentlyPlayed(serializedBytes: merged).plays.map(\.playedAt)
    #expect(times == (11...60).reversed())
  }
}
