// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import NIOCore
import SwiftProtobuf
import VaultProtocol

/// An error on its way to the client: a problem of the contract with what it carries.
struct ProblemResponse: Error {
  /// What went wrong.
  var problem: Problem
  /// Seconds after which to try again.
  var retryAfter: Int?
  /// The methods that the path does take.
  var allow: String?
  /// Where the vault stands, of a conflict.
  var vault: WireVaultState?
  /// What proves a deletion.
  var deletion: WireDeletion?

  init(_ problem: Problem, retryAfter: Int? = nil, allow: String? = nil) {
    self.problem = problem
    self.retryAfter = retryAfter ?? (problem == .unavailable ? 1 : nil)
    self.allow = allow
  }

  /// A conflict, a failed condition or a used-up quota, with where the vault stands.
  init(_ problem: Problem, vault: VaultState) {
    self.init(problem)
    self.vault = WireVaultState(vault)
  }

  /// The cloud copy is gone, with the certificates that prove it.
  init(gone deletion: Deletion) {
    self.init(.gone)
    self.deletion = WireDeletion(deletion)
  }

  /// What a store answers with, as the client may know it.
  init(store error: StoreError) {
    switch error {
    case .unauthorized: self.init(.unauthorized)
    case .notFresh: self.init(.notFresh)
    case .gone(let deletion): self.init(gone: deletion)
    case .unavailable: self.init(.unavailable, retryAfter: 1)
    case .damaged: self.init(.internalError)
    }
  }

  /// What is wrong with the content of a request.
  init(fault: CommitFault) {
    switch fault {
    case .tooManyRecords, .tooManyBytes: self.init(.tooLarge)
    case .blobSize(_, let bytes): self.init(bytes > Limits.blobBytes ? .tooLarge : .malformed)
    case .fieldSize, .fieldValue: self.init(.malformed)
    case .idReused, .hashMismatch, .revisionNotGreater: self.init(.unprocessable)
    }
  }

  /// `application/problem+json` (RFC 9457).
  var response: Response {
    let (status, headers, body) = content
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
  }

  /// Status, headers and body.
  var content: (HTTPResponse.Status, HTTPFields, ByteBuffer) {
    var headers: HTTPFields = [.contentType: MediaType.problem]
    if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    if let allow { headers[.allow] = allow }
    if problem.status == 401 { headers[.wwwAuthenticate] = "Bearer" }
    var details = WireProblemDetails()
    details.type = Problem.typePrefix + problem.rawValue
    details.title = problem.title
    details.status = UInt32(problem.status)
    if let vault { details.vault = vault }
    if let deletion { details.deletion = deletion }
    // Fails for unset required fields and `Any` alone, which the contract has not.
    let body = (try? details.jsonString()) ?? "{}"
    return (.init(code: problem.status), headers, ByteBuffer(string: body))
  }
}
