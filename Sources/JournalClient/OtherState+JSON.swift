// SPDX-License-Identifier: Apache-2.0

// The other kinds of state in our own document.
extension Journal {
  /// Writes them as members of the document; those that are not there are left out.
  func writeOthers(to writer: inout JSONWriter) throws(JournalError) {
    let audio = try audioPreferences()
    if audio != AudioPreferences() {
      var members: [(name: String, value: JSONValue)] = []
      if let value = audio.crossfadeEnabled { members.append(("crossfadeEnabled", .bool(value))) }
      if let value = audio.muted { members.append(("muted", .bool(value))) }
      if let value = audio.volume { members.append(("volume", .number("\(value)"))) }
      if let value = audio.autoplay { members.append(("autoplay", .bool(value))) }
      writer.raw(",\n\"audioPreferences\": ")
      writer.value(.object(members))
    }
    let plays = try recentlyPlayed()
    if !plays.isEmpty {
      writer.raw(",\n\"recentlyPlayed\": ")
      writer.value(
        .array(
          plays.map {
            .object([
              ("trackId", .string($0.trackID)), ("playedAt", .string($0.playedAt.iso8601)),
            ])
          }))
    }
    if let queue = try queueState() {
      // Opaque: as text, so that not a byte of it changes.
      writer.raw(",\n\"queueState\": ")
      writer.string(queue)
    }
  }

  /// Brings one of them in from a document.
  ///
  /// - Returns: Whether there was something to bring in.
  func bringIn(_ name: String, _ value: JSONValue) throws(JournalError) -> Bool {
    switch name {
    case "audioPreferences":
      try setAudioPreferences { audio in
        // What is set here is the newer word.
        if audio.crossfadeEnabled == nil {
          audio.crossfadeEnabled = value["crossfadeEnabled"]?.bool
        }
        if audio.muted == nil { audio.muted = value["muted"]?.bool }
        if audio.autoplay == nil { audio.autoplay = value["autoplay"]?.bool }
        if audio.volume == nil, let volume = value["volume"]?.double, (0...1).contains(volume) {
          audio.volume = volume
        }
      }
      return true
    case "recentlyPlayed":
      let plays = (value.array ?? []).compactMap { play -> Play? in
        guard let track = play["trackId"]?.string, (1...1000).contains(track.utf8.count),
          let playedAt = play["playedAt"]?.string.flatMap({ Instant(iso8601: $0) })
        else { return nil }
        return Play(trackID: track, playedAt: playedAt)
      }
      guard !plays.isEmpty else { return false }
      try addPlays(plays)
      return true
    case "queueState":
      guard let queue = value.string, try queueState() == nil else { return false }
      do {
        try setQueueState(queue)
      } catch .badInput {
        return false
      }
      return true
    default: return false
    }
  }
}
