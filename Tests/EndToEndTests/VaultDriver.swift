// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Testing
import VaultServer

/// What a test's vault keeps its rows in.
enum VaultDriver: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case sqlite = "SQLite"
  case postgres = "PostgreSQL"

  var testDescription: String { rawValue }
}

/// A schema of its own in the server that `VAULT_TEST_POSTGRES` names.
struct VaultSchema: Sendable {
  struct Missing: Error, CustomStringConvertible {
    let description = "VAULT_TEST_POSTGRES names no server; see scripts/postgres.sh"
  }

  private let server: String
  private let name: String

  init() async throws {
    guard let server = ProcessInfo.processInfo.environment["VAULT_TEST_POSTGRES"] else {
      throw Missing()
    }
    self.server = server
    name = "e2e_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
    try await Connection(Configuration(url: server)).run(Statement("CREATE SCHEMA \(name)"))
  }

  /// The server, with this schema in place of `public`.
  var url: String {
    "\(server)\(server.contains("?") ? "&" : "?")options=-csearch_path%3D\(name)"
  }

  func drop() async throws {
    try await Connection(Configuration(url: server)).run(Statement("DROP SCHEMA \(name) CASCADE"))
  }
}
