// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import VaultServer

/// An empty schema in the server that `VAULT_TEST_POSTGRES` names, for one test.
struct PostgresSchema: Sendable {
  struct Missing: Error, CustomStringConvertible {
    let description = "VAULT_TEST_POSTGRES names no server; see scripts/postgres.sh"
  }

  /// The server, with this schema in place of `public`.
  let url: String

  /// The schema that facts share, since none looks at another's users.
  static let shared = Task { try await PostgresSchema(name: "store_" + unique()) }

  private init(name: String) async throws {
    guard let server = ProcessInfo.processInfo.environment["VAULT_TEST_POSTGRES"] else {
      throw Missing()
    }
    try await Connection(Configuration(url: server)).run(Statement("CREATE SCHEMA \(name)"))
    let separator = server.contains("?") ? "&" : "?"
    url = "\(server)\(separator)options=-csearch_path%3D\(name)"
  }

  /// Lends a schema that nothing else uses, and drops it.
  static func with(_ body: (PostgresSchema) async throws -> Void) async throws {
    let name = "test_" + unique()
    let schema = try await PostgresSchema(name: name)
    let result: Result<Void, any Error>
    do { result = .success(try await body(schema)) } catch { result = .failure(error) }
    try await schema.connect().run(Statement("DROP SCHEMA \(name) CASCADE"))
    try result.get()
  }

  /// A store in it.
  func store(connections: Int = 4) async throws -> PostgresStore {
    try await PostgresStore(
      url: url, connections: connections, now: Timestamp(milliseconds: 1_800_000_000_000))
  }

  /// A connection beside the store's.
  func connect() async throws -> Connection { try await Connection(Configuration(url: url)) }

  /// Runs SQL as somebody would who goes behind the store's back.
  func tamper(_ sql: String) async throws {
    try await connect().pipeline([
      Statement("SELECT set_config('vault.operator', 'on', true)"), Statement(sql),
    ])
  }

  private static func unique() -> String {
    UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
  }
}
