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
  /// For the bodies of users, and apart from them for those of strangers, who shall not keep users
  /// from writing.
  let bodies: (users: BodyBudget, strangers: BodyBudget)
  let callers = KnownCallers()
  let places: UserPlaces
  let waits: UserPlaces
  let commits: UserRate

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
    bodies = (
      BodyBudget(limit: configuration.bodyMemory), BodyBudget(limit: configuration.strangerMemory)
    )
    places = UserPlaces(perUser: configuration.requestsPerUser, retryAfter: 1)
    commits = UserRate(configuration.commitRate)
    waits = UserPlaces(perUser: configuration.waitsPerUser, retryAfter: 5)
  }

  typealias Handler = @Sendable (Call) async throws -> Response

  /// Who may send a request, as is looked at before its body is read.
  enum Access {
    /// Everyone.
    case anyone
    /// Whoever has a token, which takes a place of the user's.
    case session
    /// The same for a request that may wait, and takes its place by itself.
    case waiting
    /// Whoever has a token, or without one a recovery proof in the body.
    case proof
  }

  /// Every request of the contract: path template, method, who may send it, what answers it.
  var routes: [(path: String, method: HTTPRequest.Method, access: Access, handler: Handler)] {
    [
      (Route.server, .get, .anyone, server),
      (Route.registration, .post, .anyone, startRegistration),
      (Route.accounts, .post, .anyone, createAccount),
      (Route.login, .post, .anyone, startLogin),
      (Route.sessions, .post, .anyone, createSession),
      (Route.sessions, .get, .session, sessions),
      (Route.sessions + "/{id}", .delete, .session, endSession),
      (Route.sessions + "/{id}/label", .put, .session, setLabel),
      (Route.keyring, .get, .session, keyring),
      (Route.keyring, .put, .session, putKeyring),
      (Route.credentials, .put, .proof, putCredentials),
      (Route.recovery, .post, .anyone, startRecovery),
      (Route.recoveryOpen, .post, .anyone, openRecovery),
      (Route.startOver, .post, .session, startOver),
      (Route.startOver, .delete, .session, refuseStartOver),
      (Route.vault, .get, .session, vault),
      (Route.vault, .delete, .proof, deleteVault),
      (Route.commits, .post, .session, commit),
      (Route.changes, .get, .waiting, changes),
      (Route.recordsFetch, .post, .session, fetchRecords),
      (Route.records + "/{id}", .get, .session, record),
      (Route.records + "/{id}/revisions", .get, .session, revisions),
      (Route.records + "/{id}/revisions/{n}", .get, .session, revision),
      (Route.health, .get, .anyone, health),
      (Route.ready, .get, .anyone, ready),
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
        answer(router, path, route.method, route.access, route.handler)
        if route.method == .get {
          answer(router, path, .head, route.access) {
            try await route.handler($0).createHeadResponse()
          }
        }
      }
      let taken = routes.map(\.method) + (routes.contains { $0.method == .get } ? [.head] : [])
      let allow = taken.map(\.rawValue).sorted().joined(separator: ", ")
      let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]
      for method in others where !taken.contains(method) {
        answer(router, path, method, .anyone) { _ in
          throw ProblemResponse(.methodNotAllowed, allow: allow)
        }
      }
    }
    return router
  }

  private func answer(
    _ router: Router<VaultContext>, _ path: String, _ method: HTTPRequest.Method,
    _ access: Access, _ handler: @escaping Handler
  ) {
    router.on(RouterPath(path), method: method) { request, context in
      let isStranger =
        access == .anyone || access == .proof && request.headers[.authorization] == nil
      let share = (isStranger ? bodies.strangers : bodies.users).share()
      // What was read lives until the handler is done with it: until a commit is on the disk.
      defer { share.release() }
      var call = Call(request: request, context: context, share: share, now: clock())
      if !isStranger {
        let user = try await knownUser(call)
        if access != .waiting { call.place = try places.take(user) }
      }
      return try await handler(call)
    }
  }

  /// The user whose token the request has; a token that is none costs a look-up and no body.
  ///
  /// - Throws: ``Problem/unauthorized``.
  private func knownUser(_ call: Call) async throws -> UserID {
    let caller = try call.caller()
    if !callers.isKnown(caller, now: call.now) {
      guard try await store.hasSession(caller, now: call.now) else {
        throw ProblemResponse(.unauthorized)
      }
      callers.remember(caller, now: call.now)
    }
    return caller.user
  }
}
