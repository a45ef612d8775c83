// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Sodium
import SwiftProtobuf
import VaultProtocol

/// One request with what a route needs to answer it.
struct Call {
  /// The request.
  let request: Request
  /// The path's parameters, the client's address.
  let context: VaultContext
  /// What its body takes of the memory that there is for bodies.
  let share: BodyBudget.Share
  /// The user's place that it takes, until its answer is written; nothing for a stranger's request.
  var place: UserPlaces.Place?
  /// The time of the request.
  let now: Timestamp

  /// How large a body a route reads.
  enum BodyLimit: Int {
    /// A few fixed-size fields.
    case fields = 16_384
    /// Slots, a keyring and a head, with base64's third.
    case keys = 114_688
    /// 1,000 certificates.
    case certificates = 1_310_720
    /// 1,000 rows of 48 bytes.
    case rows = 98_304
    /// A commit.
    case commit = 6_291_456
  }

  /// Who asks, as the bearer token claims; the store checks it.
  ///
  /// - Throws: ``Problem/unauthorized`` where there is no token of the contract's form.
  func caller() throws(ProblemResponse) -> Caller {
    guard let header = request.headers[.authorization],
      let credential = SessionCredential(authorization: header),
      let user = UserID(credential.uid),
      let hash = TokenHash(SHA512.hash32(credential.token.span))
    else { throw ProblemResponse(.unauthorized) }
    return Caller(user: user, session: SessionID(number: credential.sessionID), tokenHash: hash)
  }

  /// The body as a message.
  ///
  /// - Throws: ``Problem/unsupportedMediaType``, ``Problem/tooLarge``, ``Problem/malformed``;
  ///   ``Problem/unavailable`` when other bodies take all the memory there is for them.
  func message<M: Message>(_ type: M.Type = M.self, _ limit: BodyLimit) async throws -> M {
    let format = try WireFormat(contentOf: request)
    let length = request.headers[.contentLength].flatMap { Int($0) }
    guard (0...limit.rawValue).contains(length ?? 0) else { throw ProblemResponse(.tooLarge) }
    return try format.decode(try await body(of: length, upTo: limit.rawValue))
  }

  /// The body's bytes, each charged for when it is there.
  private func body(of length: Int?, upTo limit: Int) async throws -> Data {
    var body = Data()
    do {
      for try await part in request.body {
        guard body.count + part.readableBytes <= limit else { throw ProblemResponse(.tooLarge) }
        try share.take(part.readableBytes)
        body.append(contentsOf: part.readableBytesView)
      }
    } catch let problem as ProblemResponse {
      throw problem
    } catch let error as HTTPParserError {
      // The framework answers it, since the connection is of no use any more.
      throw error
    } catch is TooSlow {
      throw ProblemResponse(.unavailable)
    } catch {
      throw ProblemResponse(.malformed)
    }
    // A connection that was cut looks like a body's end.
    guard length == nil || length == body.count else { throw ProblemResponse(.malformed) }
    return body
  }

  /// An answer with a message, in the format that the client accepts.
  func reply(
    _ message: some Message, status: HTTPResponse.Status = .ok, tag: String? = nil
  ) throws(ProblemResponse) -> Response {
    let format = WireFormat(acceptedBy: request)
    var headers: HTTPFields = [.contentType: format.mediaType]
    if let tag { headers[.eTag] = tag }
    guard let body = format.encode(message) else { throw ProblemResponse(.internalError) }
    return Response(status: status, headers: headers, body: answer(ByteBuffer(bytes: body)))
  }

  /// A body that keeps the request's place until it is written, if it is a large one.
  ///
  /// In parts, so that how fast it is taken can be seen.
  private func answer(_ bytes: ByteBuffer) -> ResponseBody {
    guard let place, bytes.readableBytes > Self.partBytes else {
      return ResponseBody(byteBuffer: bytes)
    }
    return ResponseBody(contentLength: bytes.readableBytes) { writer in
      defer { place.leave() }
      var rest = bytes
      while let part = rest.readSlice(length: min(rest.readableBytes, Self.partBytes)),
        part.readableBytes > 0
      {
        try await writer.write(part)
      }
      try await writer.finish(nil)
    }
  }

  private static let partBytes = 1 << 16

  /// An answer without a body.
  func reply(_ status: HTTPResponse.Status, tag: String? = nil) -> Response {
    var response = Response(status: status, headers: tag.map { [.eTag: $0] } ?? [:])
    // 204 and 304 have no length (RFC 9110 §8.6).
    response.headers[.contentLength] = nil
    return response
  }

  /// A path parameter that is an id in hex.
  ///
  /// - Throws: ``Problem/malformed``.
  func recordID() throws(ProblemResponse) -> RecordID {
    guard let text = context.parameters.get("id"),
      let id = Hex.decode(text).flatMap({ RecordID($0) })
    else { throw ProblemResponse(.malformed) }
    return id
  }

  /// A parameter of the path that is a decimal number.
  ///
  /// - Throws: ``Problem/malformed``.
  func number(_ name: String) throws(ProblemResponse) -> UInt64 {
    guard let number = context.parameters.get(name).flatMap({ UInt64($0) }) else {
      throw ProblemResponse(.malformed)
    }
    return number
  }

  /// A parameter of the query that is a decimal number in `range`; nothing where it is absent.
  ///
  /// - Throws: ``Problem/malformed``.
  func query(_ name: String, in range: ClosedRange<UInt64>) throws(ProblemResponse) -> UInt64? {
    guard let text = request.uri.queryParameters.get(name) else { return nil }
    guard let number = UInt64(text), range.contains(number) else {
      throw ProblemResponse(.malformed)
    }
    return number
  }
}
