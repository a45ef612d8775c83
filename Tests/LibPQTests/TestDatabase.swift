// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ

/// The real server that `VAULT_TEST_POSTGRES` names, and an empty schema in it for one test.
enum TestDatabase {
  struct Missing: Error, CustomStringConvertible {
    let description = "VAULT_TEST_POSTGRES names no server; see scripts/postgres.sh"
  }

  static func url() throws -> String {
    guard let url = ProcessInfo.processInfo.environment["VAULT_TEST_POSTGRES"] else {
      throw Missing()
    }
    return url
  }

  /// Runs `body` with a configuration whose connections see one schema of their own.
  static func withSchema<R>(
    connections: Int = 8, _ body: (Configuration) async throws -> R
  ) async throws -> R {
    let url = try url()
    let schema = "test_" + UUID().uuidString.lowercased().replacingOccurrences(of: "-", with: "")
    let owner = Pool(Configuration(url: url, connections: 1))
    try await owner.run(Statement("CREATE SCHEMA \(schema)"))
    let separator = url.contains("?") ? "&" : "?"
    let own = "\(url)\(separator)options=-csearch_path%3D\(schema)"
    do {
      let result = try await body(Configuration(url: own, connections: connections))
      try await owner.run(Statement("DROP SCHEMA \(schema) CASCADE"))
      return result
    } catch {
      try await owner.run(Statement("DROP SCHEMA \(schema) CASCADE"))
      throw error
    }
  }
}

extension Row {
  /// The only column, an `bigint`.
  var number: Int64 { get throws { try int8(0) } }
}
