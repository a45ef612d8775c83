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
    help: """
      The PostgreSQL server itself, for its notices, where --database names a PgBouncer (default: \
      $VAULT_DATABASE_LISTEN_URL, else the same).
      """)
  var databaseListen: String?

  @Flag(
    help: """
      A PgBouncer in transaction mode stands before the database: nothing is prepared, and the \
      role's own settings take the place of the session's (see docs/operator.md).
      """)
  var pgbouncer = false

  @Option(help: "Connections to PostgreSQL for requests; two more are for notices.")
  var databaseConnections = 16

  @Option(
    help: "The file of the server's own secrets (default: server.secrets in the data folder).")
  var secrets: String?

  func validate() throws {
    guard (1...1_000).contains(databaseConnections) else {
      throw ValidationError("--database-connections takes 1 to 1000")
    }
    guard !pgbouncer || listenURL != nil else {
      throw ValidationError(
        "--pgbouncer needs --database-listen: notices take a session, which a PgBouncer does not give"
      )
    }
  }

  private var listenURL: String? {
    databaseListen ?? ProcessInfo.processInfo.environment["VAULT_DATABASE_LISTEN_URL"]
  }

  /// The data folder; made (0700) where it is missing, unless it must be there.
  ///
  /// - Throws: ``Failure``.
  func folder(mustExist: Bool = false) throws(Failure) -> String {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["XDG_DATA_HOME"] ?? NSHomeDirectory() + "/.local/share"
    let folder = data ?? environment["STATE_DIRECTORY"] ?? home + "/vaultd"
    if mustExist { return folder }
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure("cannot make the data folder \(folder)", "name another one with --data")
    }
    return folder
  }

  /// Opens the database and brings its schema up to date; makes it, unless it must be there.
  ///
  /// - Throws: ``Failure``.
  func store(
    policy: StorePolicy, mustExist: Bool = false
  ) async throws(Failure) -> any VaultStore {
    let configured = database ?? ProcessInfo.processInfo.environment["VAULT_DATABASE_URL"]
    let url: String
    if let configured {
      url = configured
    } else {
      url = "sqlite:" + (try folder(mustExist: mustExist)) + "/vault.sqlite"
    }
    do {
      if url.hasPrefix("sqlite:") {
        let path = String(url.dropFirst("sqlite:".count))
        if mustExist, !FileManager.default.fileExists(atPath: path) {
          throw Failure("there is no database at \(path)", "check --data and --database")
        }
        return try SQLiteStore(path: path, policy: policy)
      }
      if url.hasPrefix("postgres:") || url.hasPrefix("postgresql:") {
        return try await PostgresStore(
          url: url, listenURL: listenURL, connections: databaseConnections,
          isBehindBouncer: pgbouncer, mustExist: mustExist, policy: policy, now: .system())
      }
    } catch let error as StoreError {
      throw Failure(error)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure("the database cannot be opened", "check --data and --database")
    }
    throw Failure(
      "the database must be sqlite:PATH or postgres://…", "check --database and VAULT_DATABASE_URL")
  }

  /// The server's secrets; made at the first start, unless they must be there.
  ///
  /// - Throws: ``Failure``.
  func serverSecrets(
    name: String? = nil, mustExist: Bool = false
  ) throws(Failure) -> ServerSecrets {
    let path: String
    if let secrets {
      path = secrets
    } else {
      path = try folder(mustExist: mustExist) + "/server.secrets"
    }
    do throws(ServerSecretsError) {
      return try mustExist
        ? ServerSecrets.read(path: path) : ServerSecrets.load(path: path, name: name)
    } catch {
      throw Failure(error, path: path)
    }
  }
}
