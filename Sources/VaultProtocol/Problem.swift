// SPDX-License-Identifier: Apache-2.0

/// What went wrong, as `application/problem+json` (RFC 9457): code, status and sentence.
///
/// The `type` member is `"urn:journal-vault:problem:" + rawValue`. Stable: a code is never reused.
public enum Problem: String, CaseIterable, Error, Sendable {
  /// The request's bytes, fields or sizes are not those of the contract.
  case malformed
  /// The body is in a media type that this server does not read or write.
  case unsupportedMediaType = "unsupported-media-type"
  /// The client speaks an older contract.
  case clientTooOld = "client-too-old"
  /// No session, an ended or an expired one; or a login that did not succeed.
  case unauthorized
  /// The session is too old for this request: log in again.
  case notFresh = "not-fresh"
  /// New accounts are not taken, or not without an invitation.
  case registrationClosed = "registration-closed"
  /// There is no such thing for this user.
  case notFound = "not-found"
  /// The path is there, but not for this method. Carries `Allow`.
  case methodNotAllowed = "method-not-allowed"
  /// The name belongs to another account.
  case nameTaken = "name-taken"
  /// The vault's head is another one: pull, then commit again. Carries `vault`.
  case conflict
  /// The cloud copy was deleted. Carries `deletion`.
  case gone
  /// `If-Match` names another state than the present one.
  case preconditionFailed = "precondition-failed"
  /// A body, a blob, a commit or a page is over the limit.
  case tooLarge = "too-large"
  /// A revision that does not rise, a hash that does not fit, a commit id used for another body.
  case unprocessable
  /// Too many requests for this name or address. Carries `Retry-After`.
  case tooManyRequests = "too-many-requests"
  /// The server made a mistake.
  case internalError = "internal"
  /// The server cannot serve just now. Carries `Retry-After`.
  case unavailable
  /// The account's quota is used up.
  case quotaExceeded = "quota-exceeded"

  /// The prefix of every `type`.
  public static let typePrefix = "urn:journal-vault:problem:"

  /// The HTTP status.
  public var status: Int {
    switch self {
    case .malformed: 400
    case .unauthorized, .notFresh: 401
    case .registrationClosed: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .nameTaken, .conflict: 409
    case .gone: 410
    case .preconditionFailed: 412
    case .tooLarge: 413
    case .unsupportedMediaType: 415
    case .unprocessable: 422
    case .clientTooOld: 426
    case .tooManyRequests: 429
    case .internalError: 500
    case .unavailable: 503
    case .quotaExceeded: 507
    }
  }

  /// The sentence for people, without any of the request's data.
  public var title: String {
    switch self {
    case .malformed: "the request is not of the contract's form"
    case .unsupportedMediaType: "use application/protobuf or application/json"
    case .clientTooOld: "this client is too old for this server"
    case .unauthorized: "no valid session"
    case .notFresh: "this request needs a login of the last 5 minutes"
    case .registrationClosed: "this server takes no new accounts without an invitation"
    case .notFound: "not found"
    case .methodNotAllowed: "this path does not take this method"
    case .nameTaken: "this account name is taken"
    case .conflict: "the vault has moved on; fetch its changes first"
    case .gone: "the cloud copy was deleted"
    case .preconditionFailed: "the state has changed since it was read"
    case .tooLarge: "larger than the limits announced at /v1/server"
    case .unprocessable: "a revision, hash or commit id does not fit"
    case .tooManyRequests: "too many requests; try again later"
    case .internalError: "the server failed; nothing was stored"
    case .unavailable: "the server cannot serve just now"
    case .quotaExceeded: "the account's quota is used up"
    }
  }
}
