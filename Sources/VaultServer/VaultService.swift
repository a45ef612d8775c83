// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import VaultProtocol

/// The server's routes and what they share.
///
/// It can store and hand out sealed bytes; it cannot open
/// them.
struct VaultService: Sendable {
  let configuration: ServerConfiguration
  let store: any VaultStore
  let secrets: ServerSecrets
  let clock: ServerClock
  let log: ServerLog
  let metrics: ServerMetrics
  let limiter: LoginLimiter
  let bodies: BodyBudget
  let waits: WaitLimiter

  init(
    configuration: ServerConfiguration, store: any VaultStore, secrets: ServerSecrets,
    clock: @escaping ServerClock, log: ServerLog, metrics: ServerMetrics
  ) {
    self.configuration = configuration
    self.store = store
    self.secrets = secrets
    self.clock = clock
    self.log = log
    self.metrics = metrics
    limiter = LoginLimiter(names: configuration.nameRate, addresses: configuration.addressRate)
    bodies = BodyBudget(limit: configuration.bodyMemory)
    waits = WaitLimiter(perUser: configuration.waitsPerUser)
  }

  typealias Handler = @Sendable (Call) async throws -> Response

  /// Every request of the contract: path template, method, and what answers it.
  var routes: [(path: String, method: HTTPRequest.Method, handler: Handler)] {
    [
      (Route.server, .get, server),
      (Route.registration, .post, startRegistration),
      (Route.accounts, .post, createAccount),
      (Route.login, .post, startLogin),
      (Route.sessions, .post, createSession),
      (Route.sessions, .get, sessions),
      (Route.sessions + "/{id}", .delete, endSession),
      (Route.sessions + "/{id}/label", .put, setLabel),
      (Route.keyring, .get, keyring),
      (Route.keyring, .put, putKeyring),
      (Route.credentials, .put, putCredentials),
      (Route.recovery, .post, startRecovery),
      (Route.recoveryOpen, .post, openRecovery),
      (Route.startOver, .post, startOver),
      (Route.startOver, .delete, refuseStartOver),
      (Route.vault, .get, vault),
      (Route.vault, .delete, deleteVault),
      (Route.commits, .post, commit),
      (Route.changes, .get, changes),
      (Route.recordsFetch, .post, fetchRecords),
      (Route.records + "/{id}", .get, record),
      (Route.records + "/{id}/revisions", .get, revisions),
      (Route.records + "/{id}/revisions/{n}", .get, revision),
      (Route.health, .get, health),
      (Route.ready, .get, ready),
    ]
  }

  /// The routes, each path answering its other methods with 405.
  func router() -> Router<VaultContext> {
    let router = Router(context: VaultContext.self)
    router.add(
      middleware: Gate(oldestClient: configuration.oldestClient, log: log, metrics: metrics))
    let byPath = Dictionary(grouping: routes) { $0.path }
    for (path, routes) in byPath {
      for route in routes {
        answer(router, path, route.method, route.handler)
        if route.method == .get {
          answer(router, path, .head) { try await route.handler($0).createHeadResponse() }
        }
      }
      let taken = routes.map(\.method) + (routes.contains { $0.method == .get } ? [.head] : [])
      let allow = taken.map(\.rawValue).sorted().joined(separator: ", ")
      let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]
      for method in others where !taken.contains(method) {
        answer(router, path, method) { _ in throw ProblemResponse(.methodNotAllowed, allow: allow) }
      }
    }
    return router
  }

  private func answer(
    _ router: Router<VaultContext>, _ path: String, _ method: HTTPRequest.Method,
    _ handler: @escaping Handler
  ) {
    router.on(RouterPath(path), method: method) { request, context in
      try await handler(
        Call(request: request, context: context, bodies: bodies, now: clock()))
    }
  }
}
