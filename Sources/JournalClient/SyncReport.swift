// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// What a sync did.
public struct SyncReport: Equatable, Sendable {
  /// Records that came from the server, new or changed.
  public var received = 0
  /// Records deleted by another device.
  public var deleted = 0
  /// Revisions that the server took.
  public var sent = 0
  /// Records that were sealed anew under a new key, here or by another device, nothing else of them
  /// being changed.
  public var resealed = 0
  /// What was decided where a record was changed here and elsewhere.
  public var merges: [MergeNote] = []
  /// Records whose newest state does not open or does not fit its hash, in quarantine.
  public var damaged: [ObjectID] = []

  /// Nothing yet.
  public init() {}

  /// Whether nothing came, went or was found damaged.
  public var isEmpty: Bool { self == SyncReport() }

  /// Adds what another step did.
  mutating func add(_ other: SyncReport) {
    received += other.received
    deleted += other.deleted
    sent += other.sent
    resealed += other.resealed
    merges += other.merges
    damaged += other.damaged
  }
}

/// What was decided about one record that was changed here and elsewhere.
public struct MergeNote: Equatable, Sendable {
  /// The record.
  public var id: ObjectID
  /// What was done.
  public var outcome: Outcome

  /// What a merge can end in.
  public enum Outcome: Equatable, Sendable {
    /// Both changes are in the text; both sides are in the history.
    case merged
    /// This device's state won; the other one is in the history.
    case mine
    /// The other device's state won; this device's is in the history.
    case theirs
    /// Both are kept: this device's state became the entry `copy`.
    case both(copy: ObjectID)
  }

  /// A note.
  public init(id: ObjectID, outcome: Outcome) {
    self.id = id
    self.outcome = outcome
  }
}

/// How far a sync or a change of the account has come.
public struct SyncProgress: Equatable, Sendable {
  /// What is being done.
  public enum Phase: Equatable, Sendable {
    /// The password is being stretched; takes about a second.
    case unlocking
    /// Everything is being sealed anew on this device.
    case sealing
    /// The server's account of the vault is being read and verified.
    case verifying
    /// Blobs are coming.
    case receiving
    /// Commits are going.
    case sending
    /// Records are sealed anew under a new key, and go.
    case resealing
    /// The local file is being rewritten without what was there before.
    case cleaning
  }

  /// What is being done.
  public var phase: Phase
  /// How many of it are done.
  public var done: Int
  /// Out of how many; 0 where that is not known.
  public var total: Int

  /// A step.
  public init(_ phase: Phase, done: Int = 0, total: Int = 0) {
    self.phase = phase
    self.done = done
    self.total = total
  }
}

/// What a caller of a sync allows and wants to know.
public struct SyncOptions: Sendable {
  /// Lets a feed delete more than a tenth of the records: the user was asked.
  public var allowsDeletions = false
  /// Lets the cloud copy be deleted although records of it are damaged here: the user was asked.
  public var allowsDamage = false
  /// Lets the cloud copy be deleted although what the server shows does not verify: the user was
  /// asked.
  public var allowsUnverified = false
  /// Takes over a copy that was begun anew: the user was asked.
  public var allowsNewGeneration = false
  /// Hears of progress, on any thread.
  public var progress: @Sendable (SyncProgress) -> Void = { _ in }

  /// The careful options.
  public init() {}
}

/// How an engine works.
public struct SyncSettings: Sendable {
  /// How changes on both sides are merged.
  public var merge = MergeSettings()
  /// How a busy server, and a vault that moved on meanwhile, are tried again.
  public var pace = Pace.interactive
  /// How often a sync goes back to pulling when other devices commit in between.
  public var conflictTries = 8

  /// The settings that fit a person who waits.
  public init() {}
}

extension ActivityEvent {
  /// What the log says of a merge.
  init(_ note: MergeNote, time: Instant) {
    switch note.outcome {
    case .merged: self.init(.merged, time: time, record: note.id)
    case .mine, .theirs: self.init(.superseded, time: time, record: note.id)
    case .both: self.init(.keptBoth, time: time, record: note.id)
    }
  }
}
