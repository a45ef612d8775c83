// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import VaultProtocol

/// What every request passes: old clients are turned away, every error becomes a problem of the
/// contract, and one line is logged that holds nothing of the user's.
struct Gate: RouterMiddleware {
  let oldestClient: ClientVersion
  let log: ServerLog
  let metrics: ServerMetrics

  func handle(
    _ request: Request, context: VaultContext,
    next: @concurrent (Request, VaultContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var response = try await answer(request, context, next)
    response.headers.shut()
    let route = RouteLabel(context, request)
    let duration = ContinuousClock.now - start
    metrics.count(route, status: response.status.code, duration: duration)
    log.request(
      route, status: response.status.code, duration: duration,
      bytesIn: request.headers[.contentLength].flatMap { Int($0) } ?? 0,
      bytesOut: response.body.contentLength ?? 0)
    return response
  }

  /// - Throws: What cannot be parsed, which the framework answers by closing the connection.
  private func answer(
    _ request: Request, _ context: VaultContext,
    _ next: @concurrent (Request, VaultContext) async throws -> Response
  ) async throws -> Response {
    do {
      if let agent = request.headers[.userAgent], let version = ClientVersion(userAgent: agent),
        version < oldestClient
      {
        throw ProblemResponse(.clientTooOld)
      }
      return try await next(request, context)
    } catch let problem as ProblemResponse {
      return problem.response
    } catch let error as StoreError {
      log.store(error)
      return ProblemResponse(store: error).response
    } catch let error as HTTPParserError {
      throw error
    } catch let error as any HTTPResponseError {
      return ProblemResponse(error.status.code == 404 ? .notFound : .malformed).response
    } catch is CancellationError {
      return ProblemResponse(.unavailable).response
    } catch {
      // An error of nobody's: its text could hold anything, so it is not even logged.
      log.event(.error, "unexpected error")
      return ProblemResponse(.internalError).response
    }
  }
}

extension HTTPFields {
  /// Nothing here is to be kept, sniffed, framed or run.
  mutating func shut() {
    self[.cacheControl] = "no-store"
    self[.xContentTypeOptions] = "nosniff"
    self[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
  }
}

/// A request's method and route template, from fixed sets: never the path itself.
struct RouteLabel: Hashable, Sendable {
  let method: String
  let path: String

  init(_ context: VaultContext, _ request: Request) {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    method = known.contains(request.method.rawValue) ? request.method.rawValue : "other"
    path = context.endpointPath ?? "none"
  }
}
