// SPDX-License-Identifier: Apache-2.0
public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// The whole HTTP side of `vaultd`, for `main` and tests alike.
///
/// - Parameters:
///   - configuration: The operator's settings.
///   - store: Where everything is kept.
///   - secrets: The server's own secrets.
///   - clock: Tells the time.
///   - log: Where events go.
///   - metrics: What is counted.
///   - listen: Where to listen; a free port of the loopback address unless told otherwise.
///   - tls: The certificate; none for plain HTTP behind a proxy or on loopback.
///   - onReady: Called with the port once connections are taken.
/// - Returns: The application, to be run or tested.
public func buildApplication(
  configuration: ServerConfiguration, store: any VaultStore, secrets: ServerSecrets,
  clock: @escaping ServerClock, log: ServerLog, metrics: ServerMetrics = ServerMetrics(),
  listen: ListenAddress? = nil, tls: ReloadableTLS? = nil,
  onReady: @escaping @Sendable (Int) async -> Void = { _ in }
) -> Application<RouterResponder<VaultContext>> {
  let service = VaultService(
    configuration: configuration, store: store, secrets: secrets, clock: clock, log: log,
    metrics: metrics)
  // A request that is being answered, a waiting one too, is not idle.
  let streams = HTTP1Channel.Configuration(
    additionalChannelHandlers: [PaceHandler(configuration.pace), ParseErrorHandler()],
    idleTimeout: .seconds(75),
    httpDecoderConfiguration: .init(
      maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
  return Application(
    router: service.router(), server: tls?.server(streams) ?? .http1(configuration: streams),
    configuration: ApplicationConfiguration(
      address: .hostname(listen?.host ?? "127.0.0.1", port: listen?.port ?? 0), backlog: 1024,
      availableConnectionsDelegate: .maximum(
        configuration.connections,
        logger: Logger(label: "connections") { _ in SwiftLogNoOpLogHandler() })),
    onServerRunning: { await onReady($0.localAddress?.port ?? 0) }, logger: log.framework)
}

/// Prometheus's metrics, on an address of their own that users do not reach.
func buildMetricsApplication(
  _ metrics: ServerMetrics, listen: ListenAddress, log: ServerLog
) -> Application<RouterResponder<VaultContext>> {
  let router = Router(context: VaultContext.self)
  router.get("/metrics") { _, _ in
    Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text)))
  }
  return Application(
    router: router,
    configuration: ApplicationConfiguration(address: .hostname(listen.host, port: listen.port)),
    logger: log.framework)
}
