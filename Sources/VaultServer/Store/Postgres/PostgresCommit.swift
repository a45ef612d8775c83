// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Applies a commit in one round trip, which it may share with others.
  ///
  /// A conflict or a full vault takes a second one, to tell how things stand.
  public func apply(
    _ commit: Commit, caller: Caller, now: Timestamp
  ) async throws(StoreError) -> CommitOutcome {
    if let fault = commit.fault {
      _ = try await look(caller, now: now)
      return .refused(fault)
    }
    let row = try await commits.run(CommitRequest(commit, caller, policy, now: now))
    var columns = Columns(row)
    switch try columns.int64() {
    case 0:
      let seq: UInt64 = try columns.number()
      notices.moved(caller.user)
      return .accepted(seq: seq)
    case 3: return .conflict(try await read(caller, now: now).0)
    case 4: return .refused(.idReused)
    case 5:
      columns.skip(1)
      return .refused(.revisionNotGreater(try columns.id(), stored: try columns.number()))
    case 6: return .quotaExceeded(try await read(caller, now: now).0)
    default:
      // No session or no vault: whatever it is, a read says it in full.
      _ = try await read(caller, now: now)
      throw .unavailable(.busy)
    }
  }
}

/// A call of `vault_commit` to be made.
struct CommitRequest: Sendable {
  /// The outcome of a call that may not wait and would have to.
  static let locked: Int64 = 7

  let user: UserID
  /// Bytes of its blobs.
  let bytes: Int
  private let values: [Value]

  init(_ commit: Commit, _ caller: Caller, _ policy: StorePolicy, now: Timestamp) {
    user = caller.user
    let lists = RevisionLists(commit.revisions)
    bytes = commit.revisions.reduce(0) { $0 + $1.blob.count }
    values =
      [
        .id(caller.user), .session(caller.session), .hash(caller.tokenHash), .time(now),
        .time(now - policy.sessionSlide), .time(now + policy.sessionLife),
        .id(commit.id), .number(commit.baseSeq), .number(commit.generation),
        .number(commit.epoch), .hash(RequestHash(of: commit)),
        .hash(BlobHash(of: commit.head)), .bytes(commit.head),
        .number(policy.quotaBytes), .number(policy.quotaRecords),
        .number(policy.historyCount), .time(now - policy.historyAge),
        .number(policy.historyBytes),
      ] + lists.newestValues() + lists.olderValues()
  }

  /// The call; one that may not wait answers ``locked`` where another holds the vault's lock.
  func statement(mayWait: Bool) -> Statement {
    Statement(
      """
      SELECT outcome, new_seq, record, stored FROM vault_commit(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
      """, values + [.bool(mayWait)], name: "commit_records")
  }
}

/// A commit's revisions as the arrays that `vault_commit` unnests.
private struct RevisionLists {
  /// Each record's last revision in the commit, by record id: neighbours in the index.
  private var newest: [Revision] = []
  /// The number of each record's first revision in the commit, in the same order.
  private var firsts: [UInt64] = []
  /// The revisions before a record's last.
  private var older: [Revision] = []

  /// Sorts revisions of which those of one record stand in ascending order.
  init(_ revisions: [Revision]) {
    let byRecord = revisions.indices.sorted {
      (revisions[$0].record, $0) < (revisions[$1].record, $1)
    }
    for index in byRecord {
      let revision = revisions[index]
      if let last = newest.last, last.record == revision.record {
        older.append(last)
        newest[newest.count - 1] = revision
      } else {
        newest.append(revision)
        firsts.append(revision.number)
      }
    }
  }

  func newestValues() -> [Value] {
    [.ids(newest.map(\.record)), .int8Array(firsts.map { Int64(clamping: $0) })]
      + RevisionLists.values(newest)
  }

  func olderValues() -> [Value] {
    [.ids(older.map(\.record))] + RevisionLists.values(older)
  }

  private static func values(_ revisions: [Revision]) -> [Value] {
    [
      .int8Array(revisions.map { Int64(clamping: $0.number) }),
      .hashes(revisions.map(\.hash)),
      .bytesArray(revisions.map(\.blob)),
      .number(revisions.reduce(0) { $0 + $1.blob.count }),
    ]
  }
}
