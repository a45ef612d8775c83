// SPDX-License-Identifier: Apache-2.0
private import AsyncHTTPClient
private import Foundation
private import NIOCore
private import NIOHTTP1
private import NIOPosix
import SwiftProtobuf
import VaultProtocol

/// The server's requests (SYNC.md §1), one method each; it moves bytes and believes nothing.
///
/// Answers are bounded in size and time and never trap. What is busy (429, 503) is asked again as
/// it says; every request of the contract may be repeated.
struct VaultAPI: Sendable {
  /// Where the server is.
  let address: ServerAddress
  /// The session, where there is one.
  var credential: SessionCredential?
  /// How a busy server is asked again.
  var pace: Pace

  /// The version in `User-Agent`, which a server may find too old.
  static let userAgent = "journal/0.1.0"

  init(_ address: ServerAddress, credential: SessionCredential? = nil, pace: Pace = .interactive) {
    self.address = address
    self.credential = credential
    self.pace = pace
  }

  /// One request.
  struct Request: Sendable {
    var method: String
    var path: String
    var body: [UInt8]?
    /// `If-Match`, a hash.
    var ifMatch: [UInt8]?
    /// The largest answer that is read, in bytes.
    var largest = 64 << 10
    /// The time for the whole of it.
    var limit = Duration.seconds(30)

    init(_ method: String, _ path: String, body: [UInt8]? = nil) {
      self.method = method
      self.path = path
      self.body = body
    }
  }

  /// An answer with a status of success.
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
  }

  /// The answer to `request` as a message.
  func message<M: Message>(_ request: Request, as _: M.Type = M.self) async throws(APIError) -> M {
    let answer = try await send(request)
    guard answer.status != 204 else { throw .garbled }
    return try Self.decode(answer.body)
  }

  /// `bytes` as a message.
  static func decode<M: Message>(_ bytes: [UInt8]) throws(APIError) -> M {
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = 8
    guard let message = try? M(serializedBytes: bytes, options: options) else { throw .garbled }
    return message
  }

  /// `message` as a request's body.
  static func encode(_ message: some Message) -> [UInt8] {
    // Fails for unset required fields and `Any` alone, which the contract has not.
    (try? message.serializedBytes()) ?? []
  }

  /// The answer to `request`, asked again while the server is busy or a kept connection was stale.
  func send(_ request: Request) async throws(APIError) -> Answer {
    var attempt = 1
    while true {
      do {
        return try await once(request)
      } catch {
        var asked: Duration?
        switch error {
        case .refused(let refusal)
        where refusal.problem == .tooManyRequests || refusal.problem == .unavailable:
          asked = refusal.retryAfter
          guard asked ?? .zero <= pace.longest else { throw error }
        case .noAnswer(.cut): break
        default: throw error
        }
        attempt += 1
        guard attempt <= pace.tries else { throw error }
        do {
          try await pace.wait(before: attempt, atLeast: asked)
        } catch {
          throw .cancelled
        }
      }
    }
  }

  private func once(_ request: Request) async throws(APIError) -> Answer {
    var outgoing = HTTPClientRequest(url: address.url + request.path)
    outgoing.method = HTTPMethod(rawValue: request.method)
    outgoing.headers.add(name: "user-agent", value: Self.userAgent)
    outgoing.headers.add(name: "accept", value: MediaType.protobuf)
    if let credential {
      outgoing.headers.add(name: "authorization", value: credential.authorization)
    }
    if let tag = request.ifMatch {
      outgoing.headers.add(name: "if-match", value: "\"\(Hex.encode(tag))\"")
    }
    if let body = request.body {
      outgoing.headers.add(name: "content-type", value: MediaType.protobuf)
      outgoing.body = .bytes(ByteBuffer(bytes: body))
    }
    do {
      let limit = TimeAmount.nanoseconds(Int64(request.limit / .nanoseconds(1)))
      let response = try await Self.http.execute(outgoing, deadline: .now() + limit)
      let isSuccess = (200..<300).contains(Int(response.status.code))
      let buffer = try await response.body.collect(
        upTo: isSuccess ? request.largest : Self.largestProblem)
      let body = Array(buffer.readableBytesView)
      guard isSuccess else { throw Self.problem(response, body) }
      let type = response.headers.first(name: "content-type")
      guard body.isEmpty || type == MediaType.protobuf else { throw APIError.garbled }
      return Answer(status: Int(response.status.code), body: body)
    } catch {
      throw APIError(error)
    }
  }

  /// What a `Retry-After` counts for at most, in seconds: nobody is kept away for longer.
  private static let longestRetryAfter: UInt32 = 300

  /// A thousand certificates in base64.
  private static let largestProblem = 1 << 20

  /// What a status of failure says; only a problem of the contract's form is one of its refusals.
  private static func problem(_ response: HTTPClientResponse, _ body: [UInt8]) -> APIError {
    let status = Int(response.status.code)
    let retryAfter = response.headers.first(name: "retry-after").flatMap { UInt32($0) }
      .map { Duration.seconds(min($0, Self.longestRetryAfter)) }
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    options.messageDepthLimit = 8
    guard response.headers.first(name: "content-type") == MediaType.problem,
      let details = try? WireProblemDetails(jsonUTF8Bytes: body, options: options),
      details.type.hasPrefix(Problem.typePrefix),
      let problem = Problem(rawValue: String(details.type.dropFirst(Problem.typePrefix.count))),
      problem.status == status
    else {
      // A proxy before the server has words of its own for these.
      guard [429, 500, 502, 503, 504].contains(status) else { return .garbled }
      var refusal = Refusal(
        status == 500 ? .internalError : status == 429 ? .tooManyRequests : .unavailable)
      refusal.retryAfter = retryAfter
      return .refused(refusal)
    }
    var refusal = Refusal(problem)
    refusal.retryAfter = retryAfter
    if details.hasVault { refusal.vault = details.vault }
    if details.hasDeletion { refusal.deletion = details.deletion }
    return .refused(refusal)
  }

  /// One for the process: connections are kept and shared; nothing is followed, unpacked or cached.
  private static let http = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: {
      var configuration = HTTPClient.Configuration(
        redirectConfiguration: .disallow,
        timeout: .init(connect: .seconds(10), read: .seconds(75)))
      configuration.httpVersion = .http1Only
      return configuration
    }())
}

extension APIError {
  /// What an HTTP client's error says.
  fileprivate init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case is CancellationError: self = .cancelled
    case is NIOTooManyBytesError: self = .garbled
    case let error as HTTPClientError:
      switch error {
      case .cancelled: self = .cancelled
      case .deadlineExceeded, .readTimeout, .writeTimeout: self = .noAnswer(.timeout)
      case .connectTimeout, .getConnectionFromPoolTimeout: self = .noAnswer(.noConnection)
      default: self = .noAnswer(.cut)
      }
    case is NIOConnectionError: self = .noAnswer(.noConnection)
    case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection: self = .noAnswer(.cut)
    case is HTTPParserError: self = .garbled
    case let error as IOError:
      self = .noAnswer(
        [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode) ? .noConnection : .cut)
    case is ChannelError: self = .noAnswer(.cut)
    // TLS errors have no type that this target could name.
    default:
      self = .noAnswer(String(reflecting: type(of: error)).contains("SSL") ? .untrusted : .cut)
    }
  }
}
