// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import Synchronization

/// A journal in a folder of its own, with a clock that the test sets; the folder goes with it.
final class TestJournal: Sendable {
  let home: Home
  let clock = TestClock()

  init() {
    home = Home(FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID())"))
  }

  deinit {
    try? FileManager.default.removeItem(at: home.folder)
  }

  var environment: Environment {
    let clock = clock
    return Environment(now: { clock.tick() }, timeZone: { "Europe/London" })
  }

  func create() throws -> Journal { try Journal.create(in: home, environment: environment) }
  func open() throws -> Journal { try Journal.open(in: home, environment: environment) }
}

/// A clock that goes on by a second at each look, or jumps where a test says so.
final class TestClock: Sendable {
  private let milliseconds = Mutex<Int64>(1_700_000_000_000)

  func tick() -> Instant {
    milliseconds.withLock { time in
      time += 1000
      return Instant(milliseconds: time)
    }
  }

  func set(_ instant: Instant) { milliseconds.withLock { $0 = instant.milliseconds } }
}
