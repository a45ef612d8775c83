// SPDX-License-Identifier: Apache-2.0
import KeyFlow

/// What to do with two changes that do not fit together.
public enum ConflictRule: String, CaseIterable, Sendable {
  /// Merge texts where that is clean; else the later write wins, or both are kept when the times
  /// are close or not to be trusted.
  case merge
  /// The later write wins; the other is in the entry's history.
  case lastWriteWins = "last-write-wins"
  /// Both are kept as entries.
  case keepBoth = "keep-both"
  /// Both are kept as entries until the user has decided.
  case ask
}

/// How a merge decides.
public struct MergeSettings: Equatable, Sendable {
  /// What to do with changes that do not fit together.
  public var rule: ConflictRule
  /// Times closer than this, in milliseconds, tell nothing about which was later.
  public var window: Int64

  /// Settings; two minutes by default.
  public init(rule: ConflictRule = .merge, window: Int64 = 120_000) {
    self.rule = rule
    self.window = window
  }
}

/// Who wins, of a record that was changed here and elsewhere (the table of SYNC.md §5).
///
/// Pure: the same states, settings and time always give the same decision. None of them loses
/// anything: what is not shown afterwards is in the record's history.
enum Merge: Equatable {
  /// Theirs, and mine has nothing that theirs has not.
  case theirs
  /// Theirs, and mine goes into everybody's history right below it.
  case theirsOverMine
  /// Mine; theirs is in the history already.
  case mine
  /// This content of both; mine goes into everybody's history right below it.
  case merged([UInt8])
  /// Theirs keeps the id; mine becomes a new entry, marked as a conflict copy.
  case both

  /// Decides between `mine`, the last save here, and `theirs`, the state pulled.
  ///
  /// `base` is the last state that both knew, `now` the time by this device's clock.
  init(base: Record?, mine: Record, theirs: Record, settings: MergeSettings, now: Instant) {
    guard mine.kind == theirs.kind else {
      // Nothing of ours does this; whoever did is left alone.
      self = .theirs
      return
    }
    // A tombstone's content is empty as no entry's is, so the hash covers that too.
    if mine.contentHash == theirs.contentHash || mine.contentHash == base?.contentHash {
      self = .theirs
    } else if theirs.contentHash == base?.contentHash {
      self = .mine
    } else if mine.deletedAt != nil {
      self = .theirs
    } else if theirs.deletedAt != nil {
      self = .mine
    } else {
      self.init(changed: base, mine, theirs, settings, now)
    }
  }

  /// Both live and both changed.
  private init(
    changed base: Record?, _ mine: Record, _ theirs: Record, _ settings: MergeSettings,
    _ now: Instant
  ) {
    guard mine.kind == .entry else {
      let merged = KindMerge.merge(mine.kind, mine: mine.content, theirs: theirs.content)
      switch merged {
      case theirs.content?: self = .theirs
      case mine.content?: self = .mine
      case let merged?: self = .merged(merged)
      case nil: self = mine.updatedAt > theirs.updatedAt ? .mine : .theirsOverMine
      }
      return
    }
    let live = base?.deletedAt == nil ? base : nil
    switch settings.rule {
    case .merge:
      if let live,
        let merged = EntryMerge.merge(
          base: live.content, mine: mine.content, theirs: theirs.content)
      {
        self =
          merged == theirs.content ? .theirs : merged == mine.content ? .mine : .merged(merged)
      } else if Self.tellsTime(live, mine, theirs, settings.window, now) {
        self = mine.updatedAt > theirs.updatedAt ? .mine : .theirsOverMine
      } else {
        self = .both
      }
    case .lastWriteWins:
      self = mine.updatedAt > theirs.updatedAt ? .mine : .theirsOverMine
    case .keepBoth, .ask:
      self = .both
    }
  }

  /// Whether the times say which write was later: far enough apart, and neither clock visibly off,
  /// that is ahead of now, or behind the state that the write began from.
  private static func tellsTime(
    _ base: Record?, _ mine: Record, _ theirs: Record, _ window: Int64, _ now: Instant
  ) -> Bool {
    func isPlausible(_ time: Instant) -> Bool {
      let isAhead = time.milliseconds.subtractingSaturated(now.milliseconds) > window
      let isBehind =
        base.map { $0.updatedAt.milliseconds.subtractingSaturated(time.milliseconds) > window }
      return !isAhead && isBehind != true
    }
    let apart = mine.updatedAt.milliseconds.subtractingSaturated(theirs.updatedAt.milliseconds)
    return (apart > window || apart < -window) && isPlausible(mine.updatedAt)
      && isPlausible(theirs.updatedAt)
  }
}

extension Int64 {
  /// The difference, or the nearest number where it does not fit: times come from elsewhere.
  fileprivate func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (self < other ? .min : .max) : difference
  }
}
