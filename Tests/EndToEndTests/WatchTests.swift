// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Testing

@Suite struct WatchTests {
  @Test(.timeLimit(.minutes(5)))
  func `what is saved on one watching device comes to the other by itself`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let sender = Task { for try await _ in pair.a.engine.events() {} }
      defer { sender.cancel() }
      let (arrived, continuation) = AsyncStream.makeStream(of: Int.self)
      let receiver = Task {
        for try await event in pair.b.engine.events() {
          if case .synced(let report) = event { continuation.yield(report.received) }
        }
      }
      defer { receiver.cancel() }
      var reports = arrived.makeAsyncIterator()
      #expect(await reports.next() == 0)
      for number in 0..<5 {
        try pair.a.journal.write(title: "live \(number)", content: "x")
        pair.a.engine.nudge()
        #expect(await reports.next() == 1)
      }
      #expect(try pair.b.entries().count == 6)
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `a watch waits out a server that is down, and stops where the user is needed`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      vault.lie { _, _ in .problem(.internalError) }
      var events = pair.b.engine.events().makeAsyncIterator()
      #expect(try await events.next() == .waiting(.serverProblem(.internalError)))
      vault.lie { _, _ in .problem(.unauthorized) }
      await #expect(throws: JournalError.needsPassword(.sessionEnded)) {
        _ = try await events.next()
      }
    }
  }
}
