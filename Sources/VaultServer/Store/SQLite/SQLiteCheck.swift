// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VaultProtocol

extension SQLiteStore {
  /// Computes every stored hash anew and looks at every invariant, a snapshot a user.
  public func check() async throws(StoreError) -> CheckReport {
    var report = try await read { db in try CheckReport.ofFile(db) }
    let users = try await read { db in
      var users: [UserID] = []
      try db.forEach("SELECT user_id FROM accounts ORDER BY user_id", []) { row in
        users.append(try row.value(0))
        return true
      }
      return users
    }
    let policy = policy
    for user in users {
      let sofar = report
      report = try await read { db in
        var checker = UserChecker(user: user, report: sofar)
        try checker.run(policy, in: db)
        return checker.report
      }
    }
    return report
  }
}

extension CheckReport {
  /// What SQLite itself says of the file.
  fileprivate static func ofFile(_ db: Database) throws -> CheckReport {
    var report = CheckReport()
    let lines = try String.fetchAll(db, sql: "PRAGMA integrity_check")
    if lines != ["ok"] {
      report.faults.append(StoreFault(user: nil, finding: "the database file is damaged"))
    }
    let strays = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
    if strays > 0 {
      report.faults.append(StoreFault(user: nil, finding: "\(strays) rows belong to no parent"))
    }
    for (table, condition) in [("sessions", "ended_generation"), ("deletions", "expires_at")] {
      try db.forEach(
        """
        SELECT t.user_id, count(*) FROM \(table) t WHERE t.\(condition) IS NULL
          AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = t.user_id)
        GROUP BY t.user_id LIMIT 1000
        """, []
      ) { row in
        let count = try row.value(1, as: Int.self)
        report.faults.append(
          StoreFault(
            user: try row.value(0), finding: "\(count) rows of \(table) without accounts"))
        return true
      }
    }
    return report
  }
}

/// Looks at one user's rows in one snapshot.
private struct UserChecker {
  var user: UserID
  var report: CheckReport

  mutating func run(_ policy: StorePolicy, in db: Database) throws {
    guard try db.row("SELECT 1 FROM accounts WHERE user_id = ?", [user]) != nil else {
      return  // Deleted since the list was made.
    }
    guard let vault = try VaultRow.fetch(user, policy, in: db) else {
      if try db.row("SELECT 1 FROM vaults WHERE user_id = ?", [user]) != nil {
        add("the newest head is missing")
      } else if try db.row("SELECT 1 FROM deletions WHERE user_id = ?", [user]) == nil {
        add("neither a vault nor a deletion")
      }
      return
    }
    report.vaults += 1
    try checkRecords(vault.state, in: db)
    try checkRevisions(vault.state, in: db)
    try checkHeads(vault.state, in: db)
    let keyring = try Keyring.fetch(user, in: db)
    if keyring.tag != keyring.keys.tag { add("the keyring's tag is not its hash") }
  }

  private mutating func checkRecords(_ state: VaultState, in db: Database) throws {
    var count = 0
    var bytes = 0
    var checker = self
    try db.forEach(
      "SELECT record_id, revision, seq, blob_hash, blob FROM records WHERE user_id = ?", [user]
    ) { row in
      let blob = try row.value(4, as: Data.self)
      count += 1
      bytes += blob.count
      let name =
        "record \(try row.value(0, as: RecordID.self)) revision \(try row.value(1, as: Int64.self))"
      if try BlobHash(of: blob) != row.value(3) { checker.add("\(name): not the stored hash") }
      if try row.value(2, as: UInt64.self) > state.head.seq {
        checker.add("\(name): ahead of the head")
      }
      return true
    }
    self = checker
    report.records += count
    if count != state.recordCount { add("\(count) records, counted as \(state.recordCount)") }
    if bytes != state.bytes { add("\(bytes) bytes of records, counted as \(state.bytes)") }
  }

  private mutating func checkRevisions(_ state: VaultState, in db: Database) throws {
    var bytes = 0
    var checker = self
    try db.forEach(
      """
      SELECT o.record_id, o.revision, o.blob_hash, o.blob, coalesce(r.revision, 0)
      FROM revisions o
      LEFT JOIN records r ON r.user_id = o.user_id AND r.record_id = o.record_id
      WHERE o.user_id = ?
      """, [user]
    ) { row in
      let blob = try row.value(3, as: Data.self)
      bytes += blob.count
      checker.report.revisions += 1
      let name =
        "record \(try row.value(0, as: RecordID.self)) revision \(try row.value(1, as: Int64.self))"
      if try BlobHash(of: blob) != row.value(2) { checker.add("\(name): not the stored hash") }
      if try row.value(1, as: Int64.self) >= row.value(4, as: Int64.self) {
        checker.add("\(name): not older than the current one")
      }
      return true
    }
    self = checker
    if bytes != state.historyBytes {
      add("\(bytes) bytes of older revisions, counted as \(state.historyBytes)")
    }
  }

  private mutating func checkHeads(_ state: VaultState, in db: Database) throws {
    var next: UInt64 = 1
    var checker = self
    try db.forEach(
      "SELECT seq, head_hash, head FROM commits WHERE user_id = ? ORDER BY seq", [user]
    ) { row in
      let seq = try row.value(0, as: UInt64.self)
      if seq != next { checker.add("head \(next) is missing") }
      if try BlobHash(of: row.value(2)) != row.value(1) {
        checker.add("head \(seq): not the stored hash")
      }
      next = seq + 1
      checker.report.heads += 1
      return true
    }
    self = checker
    if next != state.head.seq + 1 { add("the newest head is \(next - 1), not \(state.head.seq)") }
  }

  private mutating func add(_ finding: String) {
    report.faults.append(StoreFault(user: user, finding: finding))
  }
}
