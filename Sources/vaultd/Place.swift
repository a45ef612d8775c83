// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import VaultServer

/// Where this server keeps its things; the same for every command.
struct Place: ParsableArguments {
  @Option(
    help: """
      The data folder (default: $STATE_DIRECTORY, else $XDG_DATA_HOME/vaultd, else \
      ~/.local/share/vaultd).
      """)
  var data: String?

  @Option(
    help: """
      sqlite:PATH or postgres://… (default: $VAULT_DATABASE_URL, else vault.sqlite in the data \
      folder).
      """)
  var database: String?

  @Option(
    help: "The file of the server's own secrets (default: server.secrets in the data folder).")
  var secrets: String?

  /// The data folder, made (0700) where it is missing.
  ///
  /// - Throws: ``Failure``.
  func folder() throws(Failure) -> String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["XDG_DATA_HOME"] ?? NSHomeDirectory() + "/.local/share"
    let folder = data ?? environment["STATE_DIRECTORY"] ?? home + "/vaultd"
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure("cannot make the data folder \(folder)", "name another one with --data")
    }
    return folder
  }

  /// Opens the database and brings its schema up to date.
  ///
  /// - Throws: ``Failure``.
  func store(policy: StorePolicy) async throws(Failure) -> any VaultStore {
    let configured = database ?? ProcessInfo.processInfo.environment["VAULT_DATABASE_URL"]
    let url: String
    if let configured {
      url = configured
    } else {
      url = "sqlite:" + (try folder()) + "/vault.sqlite"
    }
    do throws(StoreError) {
      if url.hasPrefix("sqlite:") {
        return try SQLiteStore(path: String(url.dropFirst("sqlite:".count)), policy: policy)
      }
      if url.hasPrefix("postgres:") || url.hasPrefix("postgresql:") {
        return try await PostgresStore(url: url, policy: policy, now: .system())
      }
    } catch {
      throw Failure(error)
    }
    throw Failure(
      "the database must be sqlite:PATH or postgres://…", "check --database and VAULT_DATABASE_URL")
  }

  /// The server's secrets; made at the first start.
  ///
  /// - Throws: ``Failure``.
  func serverSecrets(name: String? = nil) throws(Failure) -> ServerSecrets {
    let path: String
    if let secrets { path = secrets } else { path = try folder() + "/server.secrets" }
    do throws(ServerSecretsError) {
      return try ServerSecrets.load(path: path, name: name)
    } catch {
      throw Failure(error, path: path)
    }
  }
}
