// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import Sodium
import SwiftProtobuf

/// How the app plays sound, synced field by field; `nil` where a field was never set.
public struct AudioPreferences: Equatable, Sendable {
  /// Whether one track fades into the next.
  public var crossfadeEnabled: Bool?
  /// Whether there is no sound.
  public var muted: Bool?
  /// 0…1.
  public var volume: Double?
  /// Whether the next track begins by itself.
  public var autoplay: Bool?

  /// Preferences of which nothing is set.
  public init() {}
}

/// One track that was played.
public struct Play: Hashable, Sendable {
  /// The track.
  public var trackID: String
  /// When it was played.
  public var playedAt: Instant

  /// A play.
  public init(trackID: String, playedAt: Instant) {
    self.trackID = trackID
    self.playedAt = playedAt
  }
}

extension Journal {
  /// The audio preferences.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func audioPreferences() throws(JournalError) -> AudioPreferences {
    let message = try other(.audioPreferences, PayloadAudioPreferences.self)
    var preferences = AudioPreferences()
    if message.hasCrossfadeEnabled { preferences.crossfadeEnabled = message.crossfadeEnabled.value }
    if message.hasMuted { preferences.muted = message.muted.value }
    if message.hasVolume { preferences.volume = message.volume.value }
    if message.hasAutoplay { preferences.autoplay = message.autoplay.value }
    return preferences
  }

  /// Changes audio preferences; each field that changed is written as of now.
  ///
  /// - Throws: `badInput` for a volume outside 0…1, `locked`, and what SQLite says.
  public func setAudioPreferences(
    _ change: (inout AudioPreferences) -> Void
  ) throws(JournalError) {
    let before = try audioPreferences()
    var after = before
    change(&after)
    if let volume = after.volume, !(0...1).contains(volume) {
      throw .badInput("the volume is between 0 and 1")
    }
    let now = environment.now().milliseconds
    try setOther(.audioPreferences, PayloadAudioPreferences.self) { message in
      if let value = after.crossfadeEnabled, value != before.crossfadeEnabled {
        message.crossfadeEnabled = .with { ($0.value, $0.writtenAt) = (value, now) }
      }
      if let value = after.muted, value != before.muted {
        message.muted = .with { ($0.value, $0.writtenAt) = (value, now) }
      }
      if let value = after.volume, value != before.volume {
        message.volume = .with { ($0.value, $0.writtenAt) = (value, now) }
      }
      if let value = after.autoplay, value != before.autoplay {
        message.autoplay = .with { ($0.value, $0.writtenAt) = (value, now) }
      }
    }
  }

  /// The tracks played last, newest first, at most 50.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func recentlyPlayed() throws(JournalError) -> [Play] {
    try other(.recentlyPlayed, PayloadRecentlyPlayed.self).plays.map {
      Play(trackID: $0.trackID, playedAt: Instant(milliseconds: $0.playedAt))
    }
  }

  /// Adds plays; of more than 50, the oldest go.
  ///
  /// - Throws: `badInput` for a track without an id, `locked`, and what SQLite says.
  public func addPlays(_ plays: [Play]) throws(JournalError) {
    guard plays.allSatisfy({ (1...1000).contains($0.trackID.utf8.count) }) else {
      throw .badInput("a track's id has 1 to 1,000 bytes")
    }
    try setOther(.recentlyPlayed, PayloadRecentlyPlayed.self) { message in
      var all = message.plays
      all += plays.map { play in
        .with { ($0.trackID, $0.playedAt) = (play.trackID, play.playedAt.milliseconds) }
      }
      message.plays = KindMerge.newest(all)
    }
  }

  /// Forgets what was played; another device's plays from before come back with its next change.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func clearRecentlyPlayed() throws(JournalError) {
    try setOther(.recentlyPlayed, PayloadRecentlyPlayed.self) { $0.plays = [] }
  }

  private static let queueItem = "queue"

  /// The queue state, opaque JSON: this device's own, else the synced one; `nil` for none.
  ///
  /// - Throws: `locked`, and what SQLite says.
  public func queueState() throws(JournalError) -> String? {
    let keys = try keys.unlocked()
    let local = try store.read { (store) throws(JournalError) in
      let item = try store.item(Self.queueItem, with: keys)
      return item?.withBytes { $0.text(0..<$0.count) } ?? nil
    }
    if let local { return local }
    let synced = try other(.queueState, PayloadQueueState.self).json
    return synced.isEmpty ? nil : String(decoding: synced, as: UTF8.self)
  }

  /// Keeps the queue state: on this device only, or as a synced record.
  ///
  /// - Throws: `badInput` for what is no JSON, `tooLarge`, `locked`, and what SQLite says.
  public func setQueueState(_ json: String, synced: Bool = false) throws(JournalError) {
    var pieces: [[UInt8]] = [Array(json.utf8)]
    var reader = JSONReader { pieces.popLast() ?? [] }
    guard (try? reader.value()) != nil, reader.next() == nil else {
      throw .badInput("the queue state is not JSON")
    }
    if synced {
      try setOther(.queueState, PayloadQueueState.self) { $0.json = Data(json.utf8) }
    }
    let keys = try keys.unlocked()
    try store.write { (store) throws(JournalError) in
      _ = try store.writableState(keys)
      if synced {
        try store.dropItem(Self.queueItem)
      } else {
        try store.setItem(Self.queueItem, Array(json.utf8), with: keys)
      }
    }
  }

  // MARK: The records they lie in

  /// The one record of a kind; an empty one where there is none.
  ///
  /// Where two devices each made one before they synced: what both say, merged.
  private func other<M: Message>(_ kind: RecordKind, _: M.Type) throws(JournalError) -> M {
    let keys = try keys.unlocked()
    let ids = try catalog().others.filter { $0.value == kind }.keys.sorted()
    return try store.read { (store) throws(JournalError) in
      try Self.merged(kind, ids, store, keys).flatMap { try? M(serializedBytes: $0) } ?? M()
    }
  }

  private static func merged(
    _ kind: RecordKind, _ ids: [ObjectID], _ store: StoreTransaction, _ keys: UnlockedKeys
  ) throws(JournalError) -> [UInt8]? {
    var merged: [UInt8]?
    for id in ids {
      let current = try store.current(id)
      guard let record = current.flatMap({ try? $0.sealed.open(with: keys) }),
        record.deletedAt == nil
      else { continue }
      let theirs = record.content
      merged = merged.map { KindMerge.merge(kind, mine: theirs, theirs: $0) ?? $0 } ?? theirs
    }
    return merged
  }

  private func setOther<M: Message>(
    _ kind: RecordKind, _: M.Type, _ change: (inout M) -> Void
  ) throws(JournalError) {
    let keys = try keys.unlocked()
    let ids = try catalog().others.filter { $0.value == kind }.keys.sorted()
    // Derived, so that devices that share the keys make the same record; the server cannot tell.
    let id = ids.first ?? Self.recordID(of: kind, keys)
    try store.write { (store) throws(JournalError) in
      let known = ids.isEmpty ? [id] : ids
      let before = try Self.merged(kind, known, store, keys)
      var message = before.flatMap { try? M(serializedBytes: $0) } ?? M()
      change(&message)
      guard let content = try? message.serializedBytes() as [UInt8] else {
        throw .badInput("a setting that cannot be written")
      }
      _ = try put(id: id, kind: kind, content: content, deletedAt: nil, store, keys)
    }
  }

  private static func recordID(of kind: RecordKind, _ keys: UnlockedKeys) -> ObjectID {
    let label = Array("journal-record".utf8) + [kind.rawValue]
    let derived = keys.keyring.currentKey().withBytes { key in
      HKDF.derive(salt: Span(), ikm: key, info: label.span, count: ObjectID.count)
    }
    return derived.withBytes { $0.id(at: 0) } ?? .make()
  }
}
