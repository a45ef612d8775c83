// SPDX-License-Identifier: Apache-2.0
import JournalClient
import Testing

@Suite struct MainJobTests {
  @Test func `what one device wrote is read on another`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let (a, b) = (try TestDevice(), try TestDevice())
      try a.journal.write(title: "one", content: "first")
      try await a.register(at: server)
      try a.journal.write(title: "two", content: "second")
      try await a.engine.sync()
      try await b.join(at: server)
      #expect(try b.entries() == ["one: first", "two: second"])
      #expect(try a.journal.syncStatus().fingerprint == b.journal.syncStatus().fingerprint)
    }
  }
}
