// SPDX-License-Identifier: Apache-2.0
import Foundation
import VaultServer

/// Rows 10, 11, 12 and 14: the store of a database beside that database's own library, in pairs, so
/// that a drift of the machine hits both.
///
///     StoreBenchmark sqlite FOLDER | postgres URL
///
/// One JSON object a line on stdout: row, ours and beside in ms, ratio with its range.
@main
struct Program {
  static let blobBytes = 2_148
  static let clients = 32

  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      fatalError("usage: StoreBenchmark sqlite FOLDER | postgres URL")
    }
    let (kind, place) = (arguments[1], arguments[2])
    var policy = StorePolicy()
    policy.quotaRecords = 1_000_000
    let store: any VaultStore
    let bare: any Bare
    if kind == "sqlite" {
      store = try SQLiteStore(path: place + "/store.sqlite", policy: policy)
      bare = try BareSQLite(path: place + "/bare.sqlite")
    } else {
      store = try await PostgresStore(url: place, policy: policy, now: now)
      bare = try BarePostgres(url: place)
    }
    try await commits(kind, store, bare)
    try await batches(kind, store, bare)
    try await growth(kind, store)
    await store.close()
  }

  /// Row 10: 32 users at once, 40 one-record commits each.
  static func commits(_ kind: String, _ store: any VaultStore, _ bare: any Bare) async throws {
    var vaults: [Vault] = []
    for _ in 0..<clients { vaults.append(try await Vault(store)) }
    try bare.reset()
    let connections = try (0..<clients).map { _ in try bare.again() }
    let rounds = 40
    let users = vaults
    let pairs = try await pairs(
      ours: {
        let revisions = users.map { _ in Vault.revisions(rounds, bytes: blobBytes) }
        return {
          try await withThrowingTaskGroup { group in
            for (vault, mine) in zip(users, revisions) {
              group.addTask { for revision in mine { try await vault.commit([revision]) } }
            }
            try await group.waitForAll()
          }
        }
      },
      bare: {
        let blob = Array(randomData(blobBytes))
        return {
          try await withThrowingTaskGroup { group in
            for connection in connections {
              group.addTask {
                try await onThread { for _ in 0..<rounds { try connection.writeOne(blob) } }
              }
            }
            try await group.waitForAll()
          }
        }
      })
    report(
      "10 \(clients) clients, one-record commits, \(kind)", pairs, each: clients * rounds,
      target: "rate at least 0.9 ×")
  }

  /// Rows 11 and 12: 10,000 records in, by thousands, and out again, by pages.
  static func batches(_ kind: String, _ store: any VaultStore, _ bare: any Bare) async throws {
    let vault = try await Vault(store)
    try bare.reset()
    let written = try await pairs(
      ours: {
        let revisions = Vault.revisions(1_000, bytes: blobBytes)
        return { try await vault.commit(revisions) }
      },
      bare: {
        let blobs = (0..<1_000).map { _ in Array(randomData(blobBytes)) }
        return { try bare.writeBatch(blobs) }
      }, count: 9)
    report("11 commit of 1,000 records, \(kind)", written, target: "rate at least 0.75 ×")
    let expected = 10_000 * blobBytes
    let read = try await pairs(
      ours: {
        {
          let bytes = try await vault.readAll()
          guard bytes == expected else { throw BareError(text: "\(bytes) bytes") }
        }
      },
      bare: {
        {
          let bytes = try bare.readAll()
          guard bytes == expected else { throw BareError(text: "\(bytes) bytes") }
        }
      })
    report("12 feed of 10,000 records in pages, \(kind)", read, target: "rate at least 0.6 ×")
  }

  /// Row 14: one commit and one empty sync as a vault and as the store grow.
  static func growth(_ kind: String, _ store: any VaultStore) async throws {
    let small = try await Vault(store)
    try await small.commit(Vault.revisions(100, bytes: blobBytes))
    let large = try await Vault(store)
    for _ in 0..<100 { try await large.commit(Vault.revisions(1_000, bytes: blobBytes)) }
    try await grown(kind, "100,000 records beside 100", large, small)
    // The store as it is now, then with 10,000 users more.
    let alone = try await times { try await small.commit(Vault.revisions(1, bytes: blobBytes)) }
    for _ in 0..<10_000 { _ = try await Vault(store) }
    let among = try await times { try await small.commit(Vault.revisions(1, bytes: blobBytes)) }
    let pairs = zip(among, alone).map { (ours: $0, bare: $1) }
    report("14 commit among 10,000 users more, \(kind)", pairs, target: "1.15 ×")
  }

  static func grown(_ kind: String, _ name: String, _ large: Vault, _ small: Vault) async throws {
    let edit = { (vault: Vault) -> Prepared in
      {
        let revisions = (0..<50).map { _ in Vault.revisions(1, bytes: blobBytes) }
        return { for one in revisions { try await vault.commit(one) } }
      }
    }
    let idle = { (vault: Vault) -> Prepared in
      { { for _ in 0..<200 { try await vault.readNothing() } } }
    }
    report(
      "14 commit, \(name), \(kind)", try await pairs(ours: edit(large), bare: edit(small)),
      each: 50, target: "1.15 ×")
    report(
      "14 nothing-changed feed, \(name), \(kind)",
      try await pairs(ours: idle(large), bare: idle(small)), each: 200, target: "1.15 ×")
  }
}
