// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import TestSupport
import Testing

@testable import JournalClient

/// What stands inside a record's seal, as another implementation wrote it down.
@Suite struct RecordVectors {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Played: Decodable, Sendable {
      let trackId: Hex
      let playedAt: Int64
    }
    let name: String
    let payload: Hex
    let kind: UInt8?
    let content, contentHash, device: Hex?
    let updatedAt, deletedAt: Int64?
    let parents: [Hex]?
    let superseded: Bool?
    let createdAt: Int64?
    let title, body, timeZone, source, conflictOf, sourceId: Hex?
    let tags: [Hex]?
    let crossfadeEnabled, muted, autoplay: Bool?
    let crossfadeEnabledAt, mutedAt, volumeAt, autoplayAt: Int64?
    let volume, json: Hex?
    let plays: [Played]?
    let edited, editedDevice, editedTitle, editedContent: Hex?
    let error: String?

    var testDescription: String { name }

    func record() throws(RecordError) -> Record {
      try Record(id: ObjectID.make(), decoding: payload.bytes)
    }
  }

  static let cases = Result { try Vectors<Case>.load("record-payload") }

  private static func accepted(with kind: UInt8? = nil) throws -> [Case] {
    try cases.get().filter { $0.error == nil && (kind == nil || $0.kind == kind) }
  }

  private func text(_ hex: Hex?) -> String? {
    hex.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  @Test(arguments: try RecordVectors.accepted())
  func `a record's payload opens to its fields`(_ vector: Case) throws {
    let record = try vector.record()
    #expect(record.kind.rawValue == vector.kind)
    #expect(record.content == vector.content?.bytes)
    #expect(record.updatedAt.milliseconds == vector.updatedAt)
    #expect(record.deletedAt?.milliseconds == vector.deletedAt)
    #expect(record.parents.map(\.bytes) == vector.parents?.map(\.bytes))
    #expect(record.contentHash.bytes == vector.contentHash?.bytes)
    #expect(record.device?.bytes == vector.device?.bytes)
    #expect(record.superseded == vector.superseded)
    #expect(try Record(id: record.id, decoding: try record.encode()) == record)
  }

  @Test(arguments: try RecordVectors.accepted().filter { $0.edited == nil })
  func `a record written here is the other implementation's, byte for byte`(
    _ vector: Case
  ) throws {
    // Fields in another order are read, and written in theirs.
    guard !vector.name.hasPrefix("in another order") else { return }
    let record = Record(
      id: ObjectID.make(), kind: RecordKind(rawValue: try #require(vector.kind)),
      content: try #require(vector.content).bytes,
      updatedAt: Instant(milliseconds: try #require(vector.updatedAt)),
      deletedAt: vector.deletedAt.map { Instant(milliseconds: $0) },
      parents: try #require(vector.parents).compactMap { Digest($0.bytes) },
      device: try #require(vector.device.flatMap { ObjectID($0.bytes) }),
      superseded: vector.superseded == true)
    #expect(try record.encode() == vector.payload.bytes)
  }

  @Test(arguments: try RecordVectors.accepted(with: 1).filter { $0.createdAt != nil })
  func `an entry's content is read and written as the other implementation's`(
    _ vector: Case
  ) throws {
    let entry = try #require(Entry(try vector.record()))
    #expect(entry.createdAt.milliseconds == vector.createdAt)
    #expect(entry.title == text(vector.title))
    #expect(entry.content == text(vector.body))
    #expect(entry.tags == vector.tags?.map { text($0) })
    #expect(entry.timeZone == text(vector.timeZone))
    #expect(entry.source == vector.source?.bytes)
    #expect((entry.conflictOf?.bytes ?? []) == vector.conflictOf?.bytes)
    #expect(entry.sourceID == text(vector.sourceId))
    #expect(try entry.encode() == vector.content?.bytes)
  }

  @Test(arguments: try RecordVectors.accepted(with: 2).filter { $0.volume != nil })
  func `audio preferences are read`(_ vector: Case) throws {
    let message = try PayloadAudioPreferences(serializedBytes: try vector.record().content)
    #expect(message.crossfadeEnabled.value == vector.crossfadeEnabled)
    #expect(message.crossfadeEnabled.writtenAt == vector.crossfadeEnabledAt)
    #expect(message.muted.value == vector.muted)
    #expect(message.muted.writtenAt == vector.mutedAt)
    let bits = message.volume.value.bitPattern.littleEndian
    #expect((0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) } == vector.volume?.bytes)
    #expect(message.volume.writtenAt == vector.volumeAt)
    #expect(message.autoplay.value == vector.autoplay)
    #expect(message.autoplay.writtenAt == vector.autoplayAt)
    #expect(try message.serializedBytes() == vector.content?.bytes)
  }

  @Test(arguments: try RecordVectors.accepted(with: 3))
  func `a recently-played list is read`(_ vector: Case) throws {
    let message = try PayloadRecentlyPlayed(serializedBytes: try vector.record().content)
    #expect(message.plays.map(\.trackID) == vector.plays?.map { text($0.trackId) })
    #expect(message.plays.map(\.playedAt) == vector.plays?.map(\.playedAt))
    #expect(try message.serializedBytes() == vector.content?.bytes)
  }

  @Test(arguments: try RecordVectors.accepted(with: 4).filter { $0.json != nil })
  func `a queue state is read`(_ vector: Case) throws {
    let message = try PayloadQueueState(serializedBytes: try vector.record().content)
    #expect([UInt8](message.json) == vector.json?.bytes)
  }

  @Test(arguments: try RecordVectors.accepted().filter { $0.edited != nil })
  func `what a newer version wrote survives an edit, at both levels`(_ vector: Case) throws {
    let record = try vector.record()
    let device = try #require(vector.editedDevice.flatMap { ObjectID($0.bytes) })
    #expect(try record.with(parents: [], device: device).encode() == vector.edited?.bytes)
    var entry = try #require(Entry(record))
    entry.title = try #require(text(vector.editedTitle))
    #expect(try entry.encode() == vector.editedContent?.bytes)
  }

  @Test(arguments: try RecordVectors.cases.get().filter { $0.error != nil })
  func `what is no record is refused for its fault`(_ vector: Case) {
    do throws(RecordError) {
      let record = try vector.record()
      // The record is one, what it holds is no entry: kept, and never shown.
      #expect(vector.error == "content")
      #expect(Entry(record) == nil)
    } catch {
      #expect(String(describing: error) == vector.error)
    }
  }
}
