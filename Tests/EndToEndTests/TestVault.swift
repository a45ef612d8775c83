// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import JournalClient
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import VaultProtocol

@testable import VaultServer

/// A real server on loopback, on a store of its own, whose answers a test may falsify.
final class TestVault: Sendable {
  /// What a test does with a request: the honest answer is a call away.
  typealias Fault =
    @Sendable (Request, @Sendable (Request) async throws -> Response) async throws -> Response?

  let folder: URL
  let store: any VaultStore
  /// Where the store is PostgreSQL: both go when a test's serving ends.
  private let schema: VaultSchema?
  private let fault = Mutex<Fault?>(nil)
  private let requests = Mutex<[String]>([])
  private let passed = Mutex<Duration>(.zero)
  private let secrets: ServerSecrets
  private let configuration: ServerConfiguration

  /// A new vault on SQLite, or the state that `copying` is in now, which it does not share any
  /// longer.
  convenience init(
    copying other: TestVault? = nil, _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) throws {
    let folder = try Self.makeFolder(copying: other)
    let configuration = Self.configuration(configure)
    let store = try SQLiteStore(
      path: folder.appending(path: "vault.sqlite").path, policy: configuration.policy)
    try self.init(in: folder, configuration, store, schema: nil)
  }

  /// A new vault on `driver`; one on PostgreSQL can be served once.
  convenience init(on driver: VaultDriver) async throws {
    guard driver == .postgres else {
      try self.init()
      return
    }
    let schema = try await VaultSchema()
    let configuration = Self.configuration { _ in }
    let store = try await PostgresStore(
      url: schema.url, connections: 3, policy: configuration.policy, now: Timestamp.system())
    try self.init(in: Self.makeFolder(copying: nil), configuration, store, schema: schema)
  }

  private init(
    in folder: URL, _ configuration: ServerConfiguration, _ store: any VaultStore,
    schema: VaultSchema?
  ) throws {
    self.folder = folder
    self.configuration = configuration
    self.store = store
    self.schema = schema
    secrets = try ServerSecrets.load(path: folder.appending(path: "server.secrets").path)
  }

  private static func makeFolder(copying other: TestVault?) throws -> URL {
    let folder = TestFolder.path("vault")
    if let other {
      try FileManager.default.copyItem(at: other.folder, to: folder)
    } else {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    return folder
  }

  private static func configuration(
    _ configure: (inout ServerConfiguration) -> Void
  ) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.nameRate = .init(burst: 10_000, interval: .seconds(1))
    configuration.addressRate = .init(burst: 10_000, interval: .seconds(1))
    configure(&configuration)
    return configuration
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Serves while `body` runs, which is given the address.
  @discardableResult
  func serve<R: Sendable>(
    _ body: @escaping @Sendable (ServerAddress) async throws -> R
  ) async throws -> R {
    guard let schema else { return try await serving(body) }
    let result: Result<R, any Error>
    do { result = .success(try await serving(body)) } catch { result = .failure(error) }
    await store.close()
    try await schema.drop()
    return try result.get()
  }

  private func serving<R: Sendable>(
    _ body: @escaping @Sendable (ServerAddress) async throws -> R
  ) async throws -> R {
    let service = VaultService(
      configuration: configuration, store: store, secrets: secrets, clock: { self.now },
      log: ServerLog(level: .error, clock: Timestamp.system) { _ in }, metrics: ServerMetrics())
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      responder: Falsifier(vault: self, honest: service.router().buildResponder()),
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        ready.yield(channel.localAddress?.port ?? 0)
      },
      logger: ServerLog(level: .error, clock: Timestamp.system) { _ in }.framework)
    return try await withThrowingTaskGroup(of: R?.self) { group in
      group.addTask {
        try? await application.run()
        return nil
      }
      guard let port = await ports.first(where: { _ in true }),
        let address = ServerAddress("http://127.0.0.1:\(port)")
      else { throw CancellationError() }
      defer { group.cancelAll() }
      return try await body(address)
    }
  }

  /// Lets `fault` answer from now on; it gives `nil` where the honest answer will do.
  func lie(_ fault: Fault?) {
    self.fault.withLock { $0 = fault }
  }

  /// Time by the server's clock.
  private var now: Timestamp { Timestamp.system() + passed.withLock { $0 } }

  /// Lets time pass on the server.
  func pass(_ duration: Duration) {
    passed.withLock { $0 += duration }
  }

  /// Resets an account, as its operator does.
  func reset(_ name: String) async throws {
    let user = try await AccountReset.run(name, store: store, secrets: secrets, now: now)
    guard user != nil else { throw CancellationError() }
  }

  /// The requests so far, as method and path.
  var seen: [String] { requests.withLock { $0 } }

  /// Forgets the requests so far.
  func forgetRequests() { requests.withLock { $0 = [] } }

  private struct Falsifier<Honest: HTTPResponder<VaultContext>>: HTTPResponder {
    let vault: TestVault
    let honest: Honest

    func respond(to request: Request, context: VaultContext) async throws -> Response {
      vault.requests.withLock { $0.append("\(request.method.rawValue) \(request.uri.path)") }
      guard let fault = vault.fault.withLock({ $0 }) else {
        return try await honest.respond(to: request, context: context)
      }
      let answer = try await fault(request) { [honest] request in
        try await honest.respond(to: request, context: context)
      }
      if let answer { return answer }
      return try await honest.respond(to: request, context: context)
    }
  }
}

extension Response {
  /// The body's bytes.
  func bytes() async throws -> [UInt8] {
    let collected = Collected()
    try await body.write(Writer(collected: collected))
    return collected.bytes.withLock { $0 }
  }

  /// An answer with another message.
  static func message(_ bytes: [UInt8]) -> Response {
    Response(
      status: .ok, headers: [.contentType: MediaType.protobuf],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// A refusal of the contract's form.
  static func problem(_ problem: Problem) -> Response {
    ProblemResponse(problem).response
  }

  /// An answer that breaks off before its end.
  static var cut: Response {
    Response(
      status: .ok, headers: [.contentType: MediaType.protobuf],
      body: ResponseBody(contentLength: 1_000) { writer in
        try await writer.write(ByteBuffer(string: "begun"))
        throw CancellationError()
      })
  }

  private final class Collected: Sendable {
    let bytes = Mutex<[UInt8]>([])
  }

  private struct Writer: ResponseBodyWriter {
    let collected: Collected

    mutating func write(_ buffer: ByteBuffer) async throws {
      collected.bytes.withLock { $0 += Array(buffer.readableBytesView) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }
}
