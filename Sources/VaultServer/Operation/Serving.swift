// SPDX-License-Identifier: Apache-2.0
import Logging
import ServiceLifecycle
import UnixSignals

/// Everything `vaultd serve` needs beside the store and its own secrets.
public struct ServeSettings: Sendable {
  /// The routes' settings.
  public var configuration: ServerConfiguration
  /// Where to listen.
  public var listen: ListenAddress
  /// Where metrics are told; nowhere unless named.
  public var metricsListen: ListenAddress?
  /// The certificate; plain HTTP without one.
  public var tls: ReloadableTLS?

  /// Plain HTTP at `listen`.
  public init(configuration: ServerConfiguration, listen: ListenAddress) {
    self.configuration = configuration
    self.listen = listen
  }
}

/// Serves until SIGTERM or SIGINT.
///
/// Then it takes no new connections, answers what was asked (for at
/// most 30 seconds) and closes the store. SIGHUP reads the certificate again.
///
/// - Parameters:
///   - settings: Where and how.
///   - store: Closed at the end.
///   - secrets: The server's own secrets.
///   - log: Where events go.
///   - announce: Called with the address, as a URL, once connections are taken.
/// - Throws: When the address cannot be listened at.
public func serve(
  _ settings: ServeSettings, store: any VaultStore, secrets: ServerSecrets, log: ServerLog,
  announce: @escaping @Sendable (String) -> Void
) async throws {
  let metrics = ServerMetrics()
  let scheme = settings.tls == nil ? "http" : "https"
  let application = buildApplication(
    configuration: settings.configuration, store: store, secrets: secrets,
    clock: Timestamp.system, log: log, metrics: metrics, listen: settings.listen,
    tls: settings.tls
  ) { port in
    announce("\(scheme)://\(settings.listen.urlHost):\(port)")
  }
  var services: [any Service] = [Sweeper(store: store, log: log)]
  if let tls = settings.tls { services.append(Reloader(tls: tls, log: log)) }
  if let listen = settings.metricsListen {
    services.append(buildMetricsApplication(metrics, listen: listen, log: log))
  }
  services.append(application)
  var configuration = ServiceGroupConfiguration(
    services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: log.framework)
  configuration.maximumGracefulShutdownDuration = .seconds(30)
  do {
    try await ServiceGroup(configuration: configuration).run()
  } catch {
    await store.close()
    throw error
  }
  log.event(.notice, "stopped")
  await store.close()
}

/// Removes once an hour what has had its time.
private struct Sweeper: Service {
  let store: any VaultStore
  let log: ServerLog

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do throws(StoreError) {
          try await store.sweep(now: .system())
        } catch {
          log.store(error)
        }
        try? await Task.sleep(for: .seconds(3600))
      }
    }
  }
}

/// Reads the certificate again at SIGHUP.
private struct Reloader: Service {
  let tls: ReloadableTLS
  let log: ServerLog

  func run() async throws {
    await cancelWhenGracefulShutdown {
      for await _ in await UnixSignalsSequence(trapping: .sighup) {
        do {
          try tls.reload()
          log.event(.notice, "certificate read again")
        } catch {
          log.event(.error, "certificate not read, going on with the present one")
        }
      }
    }
  }
}
