// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyExchange
import KeyFlow
import Sodium
import Synchronization
import TestSupport

/// A device: a home of its own, a clock set by hand, passwords that cost nothing.
final class TestDevice: Sendable {
  let folder: URL
  let journal: Journal
  let engine: SyncEngine
  let clock: TestClock

  /// A device with a new journal, or with the one in `folder`.
  init(
    in folder: URL? = nil, clock: TestClock = TestClock(),
    _ configure: (inout SyncSettings) -> Void = { _ in }
  ) throws {
    let isNew = folder == nil
    self.folder =
      folder ?? TestFolder.path("device")
    self.clock = clock
    var environment = Environment(now: { clock.now })
    environment.profiles = [2, 1, 3].map {
      Profile(id: $0, cost: Argon2id(passes: 1, memoryKiB: 8 * Int($0)))
    }
    journal =
      isNew
      ? try Journal.create(in: Home(self.folder), environment: environment)
      : try Journal.open(in: Home(self.folder), environment: environment)
    var settings = SyncSettings()
    settings.pace = Pace(tries: 4, first: .milliseconds(1), longest: .seconds(2)) { _ in }
    configure(&settings)
    engine = SyncEngine(journal, settings: settings)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Turns encryption on as `name`.
  func register(at server: ServerAddress, name: String = "samuel") async throws {
    try await engine.turnEncryptionOn(
      AccountWish(server: server, name: name), password: password(), confirm: { _ in true })
  }

  /// Joins the account `name`.
  @discardableResult
  func join(at server: ServerAddress, name: String = "samuel") async throws -> SyncReport {
    try await engine.join(AccountWish(server: server, name: name), password: password())
  }

  /// All entries, shown as `title: content`, sorted.
  func entries() throws -> [String] {
    try journal.list().map { try journal.entry($0.id) }.map { "\($0.title): \($0.content)" }
      .sorted()
  }
}

/// A clock that goes on by itself, a millisecond a look, and by hand.
final class TestClock: Sendable {
  private let milliseconds: Mutex<Int64>

  init(_ start: Int64 = 1_790_000_000_000) { milliseconds = Mutex(start) }

  var now: Instant {
    milliseconds.withLock {
      $0 += 1
      return Instant(milliseconds: $0)
    }
  }

  func pass(_ duration: Duration) {
    milliseconds.withLock { $0 += Int64(duration / .milliseconds(1)) }
  }
}

/// A password as the terminal gives it.
func password(_ text: String = "correct horse battery") -> SecretBytes {
  SecretBytes(copying: Array(text.utf8).span)
}
