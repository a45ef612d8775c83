// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultProtocol

extension PostgresStore {
  /// Computes every stored hash anew and looks at every invariant, a snapshot a user.
  public func check() async throws(StoreError) -> CheckReport {
    var report = CheckReport()
    report.faults = try await leftovers()
    var last: UserID?
    while true {
      let page = try await users(after: last, limit: 1_000, now: Timestamp(milliseconds: 0))
      guard let end = page.last else { return report }
      for size in page {
        report = try await check(size.user, report)
      }
      last = end.user
    }
  }
}

extension PostgresStore {
  /// Rows whose account or vault is not there, a line for each user and table.
  private func leftovers() async throws(StoreError) -> [StoreFault] {
    let strays = [
      ("names", "accounts", "true"),
      ("sessions", "accounts", "t.ended_generation IS NULL"),
      ("deletions", "accounts", "t.expires_at IS NULL"),
      ("commits", "vaults", "true"), ("records", "vaults", "true"), ("revisions", "vaults", "true"),
    ]
    let rows = try await asOperator(
      strays.map { table, parent, condition in
        Statement(
          """
          SELECT t.user_id, count(*) FROM \(table) t WHERE \(condition)
            AND NOT EXISTS (SELECT 1 FROM \(parent) p WHERE p.user_id = t.user_id)
          GROUP BY t.user_id ORDER BY t.user_id LIMIT 1000
          """)
      } + [
        Statement(
          """
          SELECT a.user_id, 1::bigint FROM accounts a WHERE NOT EXISTS (
            SELECT 1 FROM names n WHERE n.name_key = a.name_key AND n.user_id = a.user_id)
          ORDER BY a.user_id LIMIT 1000
          """)
      ])
    var faults: [StoreFault] = []
    let findings = strays.map { "rows of \($0.0) without \($0.1)" } + ["account without its name"]
    for (finding, rows) in zip(findings, rows) {
      for row in rows {
        var columns = Columns(row)
        let user: UserID = try columns.id()
        faults.append(StoreFault(user: user, finding: "\(try columns.int64()) \(finding)"))
      }
    }
    return faults
  }

  private func check(
    _ user: UserID, _ report: CheckReport
  ) async throws(StoreError) -> CheckReport {
    let result: Result<CheckReport, StoreError>
    do throws(PostgresError) {
      result = try await pool.withConnection { (connection) async throws(PostgresError) in
        var checker = UserChecker(user: user, connection: connection, report: report)
        do throws(StoreError) {
          try await checker.run()
          return .success(checker.report)
        } catch {
          return .failure(error)
        }
      }
    } catch {
      throw StoreError(error)
    }
    return try result.get()
  }
}

/// Looks at one user's rows in one snapshot, 64 at a time, which takes 66 MiB at the most.
private struct UserChecker {
  private static let page: Int64 = 64

  let user: UserID
  let connection: Connection
  var report: CheckReport

  /// What the vault's row says.
  private struct Stated {
    var seq: UInt64
    var records: Int
    var bytes: Int
    var historyBytes: Int
  }

  mutating func run() async throws(StoreError) {
    let rows = try await connection.exchange([
      Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
      .enter(user),
      Statement(
        """
        SELECT v.seq, v.record_count, v.bytes, v.history_bytes,
          EXISTS (SELECT 1 FROM deletions d WHERE d.user_id = a.user_id)
        FROM accounts a LEFT JOIN vaults v ON v.user_id = a.user_id WHERE a.user_id = $1::uuid
        """, [.id(user)]),
      Keyring.statement(user),
    ])
    if let row = rows[2].first {
      var columns = Columns(row)
      if columns.skipNull() {
        columns.skip(3)
        if try !columns.bool() { add("neither a vault nor a deletion") }
      } else {
        report.vaults += 1
        let stated = Stated(
          seq: try columns.number(), records: try columns.number(), bytes: try columns.number(),
          historyBytes: try columns.number())
        try await checkRecords(stated)
        try await checkRevisions(stated)
        try await checkHeads(stated)
        let keyring = try Keyring(rows[3])
        if keyring.tag != keyring.keys.tag { add("the keyring's tag is not its hash") }
      }
    }
    _ = try await connection.exchange([Statement("COMMIT")])
  }

  private mutating func checkRecords(_ stated: Stated) async throws(StoreError) {
    var count = 0
    var bytes = 0
    var after: Value = .null
    while true {
      let rows = try await page(
        """
        SELECT record_id, revision, seq, blob_hash, blob FROM records
        WHERE user_id = $1::uuid AND (record_id > $2::uuid OR $2::uuid IS NULL)
        ORDER BY record_id LIMIT $3::bigint
        """, [after])
      for row in rows {
        var columns = Columns(row)
        let id: RecordID = try columns.id()
        let name = "record \(id) revision \(try columns.int64())"
        let seq: UInt64 = try columns.number()
        let hash: BlobHash = try columns.hash()
        let blob = try columns.data()
        count += 1
        bytes += blob.count
        if BlobHash(of: blob) != hash { add("\(name): not the stored hash") }
        if seq > stated.seq { add("\(name): ahead of the head") }
        after = .id(id)
      }
      if rows.count < Self.page { break }
    }
    report.records += count
    if count != stated.records { add("\(count) records, counted as \(stated.records)") }
    if bytes != stated.bytes { add("\(bytes) bytes of records, counted as \(stated.bytes)") }
  }

  private mutating func checkRevisions(_ stated: Stated) async throws(StoreError) {
    var bytes = 0
    var after: [Value] = [.null, .null]
    while true {
      let rows = try await page(
        """
        SELECT o.record_id, o.revision, o.blob_hash, coalesce(r.revision, 0), o.blob
        FROM revisions o
          LEFT JOIN records r ON r.user_id = o.user_id AND r.record_id = o.record_id
        WHERE o.user_id = $1::uuid
          AND ((o.record_id, o.revision) > ($2::uuid, $4::bigint) OR $2::uuid IS NULL)
        ORDER BY o.record_id, o.revision LIMIT $3::bigint
        """, after)
      for row in rows {
        var columns = Columns(row)
        let id: RecordID = try columns.id()
        let number = try columns.int64()
        let name = "record \(id) revision \(number)"
        let hash: BlobHash = try columns.hash()
        let current = try columns.int64()
        let blob = try columns.data()
        bytes += blob.count
        report.revisions += 1
        if BlobHash(of: blob) != hash { add("\(name): not the stored hash") }
        if number >= current { add("\(name): not older than the current one") }
        after = [.id(id), .int8(number)]
      }
      if rows.count < Self.page { break }
    }
    if bytes != stated.historyBytes {
      add("\(bytes) bytes of older revisions, counted as \(stated.historyBytes)")
    }
  }

  private mutating func checkHeads(_ stated: Stated) async throws(StoreError) {
    var next: UInt64 = 1
    while true {
      let rows = try await page(
        """
        SELECT seq, head_hash, head FROM commits WHERE user_id = $1::uuid AND seq >= $2::bigint
        ORDER BY seq LIMIT $3::bigint
        """, [.number(next)])
      for row in rows {
        var columns = Columns(row)
        let seq: UInt64 = try columns.number()
        let hash: BlobHash = try columns.hash()
        if seq != next { add("head \(next) is missing") }
        if BlobHash(of: try columns.data()) != hash { add("head \(seq): not the stored hash") }
        next = seq + 1
        report.heads += 1
      }
      if rows.count < Self.page { break }
    }
    if next != stated.seq + 1 { add("the newest head is \(next - 1), not \(stated.seq)") }
  }

  private func page(_ text: String, _ after: [Value]) async throws(StoreError) -> Rows {
    let values = [.id(user), after[0], .int8(Self.page)] + after.dropFirst()
    return try await connection.exchange([Statement(text, values)])[0]
  }

  private mutating func add(_ finding: String) {
    report.faults.append(StoreFault(user: user, finding: finding))
  }
}
