// SPDX-License-Identifier: Apache-2.0

/// The paths of the contract, written once and used by client and server.
public enum Route {
  /// `GET`: versions, limits, public keys.
  public static let server = "/v1/server"
  /// `POST`: OPAQUE registration, first step; with a session, of a new password.
  public static let registration = "/v1/registration"
  /// `POST`: a new account.
  public static let accounts = "/v1/accounts"
  /// `POST`: OPAQUE login, first step.
  public static let login = "/v1/login"
  /// `POST`: login's second step; `GET`: the account's sessions.
  public static let sessions = "/v1/sessions"
  /// `GET`, `PUT`: slots and keyring.
  public static let keyring = "/v1/keyring"
  /// `PUT`: another password, a rotation, a recovery.
  public static let credentials = "/v1/credentials"
  /// `POST`: a nonce for the recovery kit's first proof.
  public static let recovery = "/v1/recovery"
  /// `POST`: the recovery slot, for the holder of the recovery code.
  public static let recoveryOpen = "/v1/recovery/open"
  /// `POST`: asks to start over without password and kit; `DELETE`: refuses that.
  public static let startOver = "/v1/start-over"
  /// `GET`: the vault's state; `DELETE`: Delete cloud data.
  public static let vault = "/v1/vault"
  /// `POST`: a commit.
  public static let commits = "/v1/commits"
  /// `GET`: the feed, with the query `cursor` (hex), `headsFrom`, `limit`, `wait` and `rows`.
  public static let changes = "/v1/changes"
  /// `POST`: many blobs by id and hash.
  public static let recordsFetch = "/v1/records/fetch"
  /// `GET` with `/{id}`, `/{id}/revisions`, `/{id}/revisions/{n}`; ids in hex.
  public static let records = "/v1/records"
  /// `GET`: the process lives.
  public static let health = "/healthz"
  /// `GET`: the process can serve.
  public static let ready = "/readyz"
  /// `GET`: Prometheus metrics, on an address of their own.
  public static let metrics = "/metrics"
}

/// The media types of the contract.
public enum MediaType {
  /// Protobuf's binary form, the default.
  public static let protobuf = "application/protobuf"
  /// Protobuf's JSON mapping.
  public static let json = "application/json"
  /// Errors (RFC 9457).
  public static let problem = "application/problem+json"
}
