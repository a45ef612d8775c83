// SPDX-License-Identifier: Apache-2.0
import Foundation
import StoreConformance
import Testing
import VaultServer

@Suite struct SQLiteStoreTests {
  @Test(arguments: Fact.all)
  func `the SQLite store keeps the contract`(fact: Fact) async throws {
    let folder = try TemporaryFolder()
    try await fact.hold { policy in
      try SQLiteStore(path: folder.path("vault.sqlite"), policy: policy)
    }
  }
}

/// A folder that goes when this does.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "vault-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }
}
