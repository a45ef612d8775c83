// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import HummingbirdTesting
import Sodium
import Synchronization
import TestSupport
import VaultProtocol

@testable import VaultServer

/// A whole server on a database of its own, its clock set by hand, its log kept.
final class TestServer: Sendable {
  let folder: URL
  let store: SQLiteStore
  let secrets: ServerSecrets
  let application: Application<RouterResponder<VaultContext>>
  private let surroundings = Surroundings()

  /// A server whose settings `configure` has changed.
  init(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws {
    folder = try TestFolder.make("http")
    var configuration = ServerConfiguration()
    configure(&configuration)
    let store = try SQLiteStore(
      path: folder.appending(path: "vault.sqlite").path, policy: configuration.policy)
    let secrets = try ServerSecrets.load(path: folder.appending(path: "server.secrets").path)
    let surroundings = surroundings
    application = buildApplication(
      configuration: configuration, store: store, secrets: secrets,
      clock: { surroundings.time.withLock { $0 } },
      log: ServerLog(level: .debug, clock: { Timestamp(milliseconds: 0) }) { line in
        surroundings.lines.withLock { $0.append(line) }
      })
    self.store = store
    self.secrets = secrets
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Runs `body` with a client of this server.
  func run<R>(
    _ setting: TestingSetup = .router, _ body: @Sendable (Visitor) async throws -> R
  ) async throws -> R {
    let result = try await application.test(setting) { client in
      try await body(Visitor(client: client, serverName: self.secrets.name))
    }
    await store.close()
    return result
  }

  /// Runs `body` with a client of this server and the port that it listens at.
  func runAtPort<R>(_ body: @Sendable (Visitor, Int) async throws -> R) async throws -> R {
    let result = try await application.test(.ahc(.http)) { client in
      try await body(Visitor(client: client, serverName: self.secrets.name), client.port ?? 0)
    }
    await store.close()
    return result
  }

  /// What time it is for this server.
  var now: Timestamp { surroundings.time.withLock { $0 } }

  /// Lets time pass.
  func pass(_ duration: Duration) { surroundings.time.withLock { $0 = $0 + duration } }

  /// Every line logged so far.
  var log: [String] { surroundings.lines.withLock { $0 } }
}

/// What a server sees of the world.
private final class Surroundings: Sendable {
  let time = Mutex(Timestamp(milliseconds: 1_700_000_000_000))
  let lines = Mutex<[String]>([])
}

extension TestServer {
  /// How a test's requests reach the server.
  enum Way: Sendable {
    /// Without a socket.
    case router
    /// Over loopback, several connections.
    case live

    var setting: TestingSetup {
      switch self {
      case .router: .router
      case .live: .ahc(.http)
      }
    }
  }
}
