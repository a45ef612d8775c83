// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SwiftProtobuf
import VaultProtocol

/// Somebody who sends requests: in one format, with or without a session.
struct Visitor: Sendable {
  /// Sends a request to some server and gives its answer.
  typealias Exchange = @Sendable (HTTPRequest, ByteBuffer?) async throws -> Answer

  private let exchange: Exchange
  let serverName: String
  var isJSON = false
  var authorization: String?

  init(serverName: String, _ exchange: @escaping Exchange) {
    self.exchange = exchange
    self.serverName = serverName
  }

  /// Somebody at a server in this process.
  init(client: any TestClientProtocol, serverName: String) {
    self.init(serverName: serverName) { request, body in
      let response = try await client.execute(
        uri: request.path ?? "/", method: request.method, headers: request.headerFields, body: body)
      return Answer(
        status: response.status.code, headers: response.headers,
        body: Data(response.body.readableBytesView))
    }
  }

  /// The same in protobuf's JSON.
  var json: Visitor {
    var other = self
    other.isJSON = true
    return other
  }

  /// The same without a session.
  var stranger: Visitor {
    var other = self
    other.authorization = nil
    return other
  }

  private var mediaType: String { isJSON ? MediaType.json : MediaType.protobuf }

  /// Sends a request with a message, or with none.
  func send(
    _ method: HTTPRequest.Method, _ path: String, _ message: (any Message)? = nil,
    _ headers: HTTPFields = [:]
  ) async throws -> Answer {
    let body: [UInt8]? =
      try message.map { isJSON ? try $0.jsonUTF8Bytes() : try $0.serializedBytes() }
    return try await send(method, path, body: body, headers)
  }

  /// Sends a request with any bytes.
  func send(
    _ method: HTTPRequest.Method, _ path: String, body: [UInt8]?, _ headers: HTTPFields = [:]
  ) async throws -> Answer {
    var all: HTTPFields = [.accept: mediaType]
    if body != nil { all[.contentType] = mediaType }
    if let authorization { all[.authorization] = authorization }
    for field in headers { all[field.name] = field.value.isEmpty ? nil : field.value }
    let request = HTTPRequest(
      method: method, scheme: nil, authority: "localhost", path: path, headerFields: all)
    return try await exchange(request, body.map { ByteBuffer(bytes: $0) })
  }
}

/// What came back.
struct Answer: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: Data

  /// The body as a message, in the format that the answer names.
  func message<M: Message>(_ type: M.Type = M.self) throws -> M {
    headers[.contentType] == MediaType.json
      ? try M(jsonUTF8Bytes: body) : try M(serializedBytes: body)
  }

  /// The problem's code; `nil` for what is no problem of the contract.
  var problem: Problem? {
    guard let details else { return nil }
    guard details.type.hasPrefix(Problem.typePrefix) else { return nil }
    let problem = Problem(rawValue: String(details.type.dropFirst(Problem.typePrefix.count)))
    return problem?.status == status && Int(details.status) == status ? problem : nil
  }

  /// The problem with what it carries.
  var details: WireProblemDetails? {
    guard headers[.contentType] == MediaType.problem else { return nil }
    return try? WireProblemDetails(jsonUTF8Bytes: body)
  }
}

/// `If-Match` with a hash.
func ifMatch(_ hash: some Collection<UInt8>) -> HTTPFields {
  [.ifMatch: "\"\(Hex.encode(hash))\""]
}
