// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// Merges of the records that are no entries, each by its kind's own rule (PRODUCT.md §3).
enum KindMerge {
  /// Plays that a recently-played list holds.
  static let plays = 50

  /// The merged content; `nil` for a kind without a rule, or content of another form.
  static func merge(_ kind: RecordKind, mine: [UInt8], theirs: [UInt8]) -> [UInt8]? {
    switch kind {
    case .audioPreferences: audioPreferences(mine, theirs)
    case .recentlyPlayed: recentlyPlayed(mine, theirs)
    default: nil
    }
  }

  /// Field by field, the latest write of each.
  private static func audioPreferences(_ mine: [UInt8], _ theirs: [UInt8]) -> [UInt8]? {
    guard let mine = try? PayloadAudioPreferences(serializedBytes: mine),
      let theirs = try? PayloadAudioPreferences(serializedBytes: theirs)
    else { return nil }
    var merged = theirs
    if mine.hasCrossfadeEnabled,
      !theirs.hasCrossfadeEnabled
        || mine.crossfadeEnabled.writtenAt > theirs.crossfadeEnabled.writtenAt
    {
      merged.crossfadeEnabled = mine.crossfadeEnabled
    }
    if mine.hasMuted, !theirs.hasMuted || mine.muted.writtenAt > theirs.muted.writtenAt {
      merged.muted = mine.muted
    }
    if mine.hasVolume, !theirs.hasVolume || mine.volume.writtenAt > theirs.volume.writtenAt {
      merged.volume = mine.volume
    }
    if mine.hasAutoplay, !theirs.hasAutoplay || mine.autoplay.writtenAt > theirs.autoplay.writtenAt
    {
      merged.autoplay = mine.autoplay
    }
    return try? merged.serializedBytes()
  }

  /// The union by (track, time), newest first, at most 50.
  private static func recentlyPlayed(_ mine: [UInt8], _ theirs: [UInt8]) -> [UInt8]? {
    guard let mine = try? PayloadRecentlyPlayed(serializedBytes: mine),
      var merged = try? PayloadRecentlyPlayed(serializedBytes: theirs)
    else { return nil }
    merged.plays = newest(merged.plays + mine.plays)
    return try? merged.serializedBytes()
  }

  /// The newest 50 of `plays`, each once, newest first.
  static func newest(_ plays: [PayloadRecentlyPlayed.Play]) -> [PayloadRecentlyPlayed.Play] {
    var known = Set<PayloadRecentlyPlayed.Play>()
    let plays = plays.filter { known.insert($0).inserted }
    return Array(
      plays.sorted { ($0.playedAt, $0.trackID) > ($1.playedAt, $1.trackID) }.prefix(Self.plays))
  }
}
