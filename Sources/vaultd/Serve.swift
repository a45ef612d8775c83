// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
import Foundation
public import Logging
public import VaultServer

/// Serves until it is told to stop.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve; the first line on stdout, once ready, names the address.")

  @OptionGroup var place: Place

  @Option(help: "HOST:PORT to listen at; port 0 takes a free one.")
  var listen = "127.0.0.1:8484"

  @Option(
    help: "The server's name, at its first start only: clients pin it (default: a random one).")
  var serverName: String?

  @Option(help: "The TLS certificate chain, PEM; read again at SIGHUP.")
  var tlsCertificate: String?

  @Option(help: "The TLS certificate's key, PEM.")
  var tlsKey: String?

  @Flag(
    help: """
      A proxy of yours ends TLS: plain HTTP may be served beyond loopback, and the last entry of \
      X-Forwarded-For is the client's address.
      """)
  var behindProxy = false

  @Option(help: "HOST:PORT where /metrics is told (default: nowhere).")
  var metrics: String?

  @Option(help: "Who may make an account: open, invitation or closed.")
  var registration = ServerConfiguration.Registration.open

  @Option(help: "MiB of sealed entries that a user may keep.")
  var quotaMib = 1024

  @Option(help: "Entries that a user may keep.")
  var quotaRecords = 100_000

  @Option(help: "Older revisions of an entry that are kept at any age.")
  var historyCount = 20

  @Option(help: "Days for which all older revisions are kept.")
  var historyDays = 30

  @Option(
    help:
      "MiB of older revisions that a user may have; beyond, the oldest go (default: as the quota).")
  var historyMib: Int?

  @Option(help: "Connections held at once.")
  var connections = 16_384

  @Option(help: "The least that is logged: debug, info, notice, warning or error.")
  var logLevel = Logger.Level.info

  func validate() throws {
    guard (1...1 << 40).contains(quotaMib), (1...1 << 40).contains(quotaRecords),
      (0...1 << 40).contains(historyMib ?? 0), (0...1_000_000).contains(historyCount),
      (0...100_000).contains(historyDays),
      (1...1_000_000).contains(connections)
    else { throw ValidationError("a number is out of range") }
    guard (tlsCertificate == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-certificate and --tls-key go together")
    }
    let address = try address(listen, "--listen")
    guard address.isLoopback || tlsCertificate != nil || behindProxy else {
      throw ValidationError(
        """
        refusing to listen beyond this machine without TLS: give --tls-certificate and --tls-key, \
        or --behind-proxy where a proxy of yours ends TLS
        """)
    }
    if let metrics { _ = try self.address(metrics, "--metrics") }
  }

  func run() async throws {
    var configuration = ServerConfiguration()
    configuration.version = VaultdVersion.text
    configuration.registration = registration
    configuration.isBehindProxy = behindProxy
    configuration.connections = connections
    configuration.policy.quotaBytes = quotaMib << 20
    configuration.policy.quotaRecords = quotaRecords
    configuration.policy.historyBytes = (historyMib ?? quotaMib) << 20
    configuration.policy.historyCount = historyCount
    configuration.policy.historyAge = .seconds(historyDays * 86_400)
    var settings = ServeSettings(
      configuration: configuration, listen: try address(listen, "--listen"))
    settings.metricsListen = try metrics.map { try address($0, "--metrics") }
    settings.tls = try tls()
    let secrets = try place.serverSecrets(name: serverName)
    let store = try await place.store(policy: configuration.policy)
    let log = ServerLog(level: logLevel, clock: Timestamp.system)
    do {
      try await serve(settings, store: store, secrets: secrets, log: log) { url in
        try? FileHandle.standardOutput.write(contentsOf: Data("vaultd ready \(url)\n".utf8))
      }
    } catch {
      throw Failure("cannot listen at \(listen)", "is another program there, or is it not yours?")
    }
  }

  private func address(_ text: String, _ option: String) throws -> ListenAddress {
    guard let address = ListenAddress(text) else {
      throw ValidationError("\(option) takes HOST:PORT, an IPv6 address in brackets")
    }
    return address
  }

  private func tls() throws(Failure) -> ReloadableTLS? {
    guard let tlsCertificate, let tlsKey else { return nil }
    do throws(ReloadableTLSError) {
      return try ReloadableTLS(certificatePath: tlsCertificate, keyPath: tlsKey)
    } catch {
      switch error {
      case .certificate: throw Failure("\(tlsCertificate) is no PEM certificate", "check the path")
      case .key: throw Failure("\(tlsKey) is no PEM key", "check the path and its permissions")
      case .mismatch: throw Failure("the key is not the certificate's", "check both paths")
      }
    }
  }
}

extension ServerConfiguration.Registration: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
