// SPDX-License-Identifier: Apache-2.0
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// TLS with a certificate that can be exchanged while connections are open.
///
/// Those keep what they began with, new ones get the new one. HTTP/2 and HTTP/1.1, TLS 1.2 and up.
public final class ReloadableTLS: Sendable {
  private let certificatePath: String
  private let keyPath: String
  private let current: Mutex<(configuration: TLSConfiguration, number: Int)>

  /// Reads a certificate chain and its key, both PEM.
  ///
  /// - Throws: ``ReloadableTLSError``.
  public init(certificatePath: String, keyPath: String) throws(ReloadableTLSError) {
    self.certificatePath = certificatePath
    self.keyPath = keyPath
    current = Mutex((try Self.read(certificatePath, keyPath), 0))
  }

  /// Reads both files again; on any error the server goes on with what it has.
  ///
  /// - Throws: ``ReloadableTLSError``.
  public func reload() throws(ReloadableTLSError) {
    let fresh = try Self.read(certificatePath, keyPath)
    current.withLock { $0 = (fresh, $0.number + 1) }
  }

  private static func read(
    _ certificatePath: String, _ keyPath: String
  ) throws(ReloadableTLSError) -> TLSConfiguration {
    let chain: [NIOSSLCertificate]
    do { chain = try NIOSSLCertificate.fromPEMFile(certificatePath) } catch { throw .certificate }
    guard !chain.isEmpty else { throw .certificate }
    let key: NIOSSLPrivateKey
    do { key = try NIOSSLPrivateKey(file: keyPath, format: .pem) } catch { throw .key }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    // A key that is not the certificate's shows only when a context is made of both.
    do { _ = try NIOSSLContext(configuration: configuration) } catch { throw .mismatch }
    return configuration
  }

  /// The server that speaks it.
  func server(_ streams: HTTP1Channel.Configuration) -> HTTPServerBuilder {
    let configuration = HTTP2ChannelConfiguration(
      idleTimeout: .seconds(75), gracefulCloseTimeout: .seconds(15), streamConfiguration: streams)
    return HTTPServerBuilder { responder in
      try ReloadingChannel {
        let (tls, number) = self.current.withLock { $0 }
        let channel = try HTTP2UpgradeChannel(
          tlsConfiguration: tls, configuration: configuration, responder: responder)
        return (channel, number)
      } number: {
        self.current.withLock { $0.number }
      }
    }
  }
}

/// Sets each connection up with the newest channel that could be made.
private final class ReloadingChannel: ServerChildChannel {
  typealias Value = HTTP2UpgradeChannel.Value

  private let make: @Sendable () throws -> (HTTP2UpgradeChannel, Int)
  private let number: @Sendable () -> Int
  private let current: Mutex<(channel: HTTP2UpgradeChannel, number: Int)>

  init(
    make: @escaping @Sendable () throws -> (HTTP2UpgradeChannel, Int),
    number: @escaping @Sendable () -> Int
  ) throws {
    self.make = make
    self.number = number
    current = Mutex(try make())
  }

  private var channel: HTTP2UpgradeChannel {
    current.withLock { current in
      if current.number != number(), let fresh = try? make() { current = fresh }
      return current.channel
    }
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    self.channel.setup(channel: channel, logger: logger)
  }

  func handle(value: Value, logger: Logger) async {
    await channel.handle(value: value, logger: logger)
  }
}

/// Why TLS cannot be spoken with the files given.
public enum ReloadableTLSError: Error {
  /// The certificate file is not there or not PEM.
  case certificate
  /// The key file is not there or not PEM.
  case key
  /// The key is not the certificate's.
  case mismatch
}
