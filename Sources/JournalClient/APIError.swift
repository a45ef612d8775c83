// SPDX-License-Identifier: Apache-2.0
import VaultProtocol

/// Why a request to the server gave no good answer.
enum APIError: Error, Equatable {
  /// No whole answer came: whether the request was carried out is not known.
  case noAnswer(Unreachable)
  /// The server refused, by the contract.
  case refused(Refusal)
  /// What came is not of the contract: another program, a proxy's page, a broken server.
  case garbled
  /// The task was cancelled.
  case cancelled

  /// The refusal's code.
  var problem: Problem? {
    guard case .refused(let refusal) = self else { return nil }
    return refusal.problem
  }
}

/// A refusal with what it carries.
struct Refusal: Equatable {
  var problem: Problem
  /// When to come again, if the server says so.
  var retryAfter: Duration?
  /// Where the vault stands, as claimed with a conflict.
  var vault: WireVaultState?
  /// What is left of a deleted copy, as claimed with `gone`.
  var deletion: WireDeletion?

  init(_ problem: Problem) { self.problem = problem }
}

/// Why no answer came.
public enum Unreachable: Equatable, Sendable {
  /// No connection could be made: the server or the network is down, or the name is unknown.
  case noConnection
  /// The connection's certificate was not accepted.
  case untrusted
  /// The server did not answer in time.
  case timeout
  /// The connection ended before the whole answer had come.
  case cut
}
