// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import NIOSSL
import TestSupport

/// A real `vaultd`, built with these tests, as a process of its own.
final class ServerProcess: Sendable {
  let process: Process
  /// The address that its first line named.
  let url: URL

  /// The program that stands beside this test bundle.
  static let program: URL = {
    let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    return bundle.appending(path: "vaultd")
  }()

  /// Runs `vaultd` to its end.
  ///
  /// - Returns: Its exit status, standard output and standard error.
  static func run(_ arguments: String...) throws -> (status: Int32, output: String, error: String) {
    try run(arguments)
  }

  /// The same with a list of arguments.
  static func run(_ arguments: [String]) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    let words = try error.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      String(decoding: words, as: UTF8.self)
    )
  }

  /// Starts `vaultd serve` on a free port and waits for its first line.
  init(data: URL, _ arguments: [String] = []) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = Self.program
    process.arguments =
      ["serve", "--data", data.path, "--listen", "127.0.0.1:0", "--log-level", "error"] + arguments
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(UInt8(ascii: "\n")) {
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw NotReady() }
      line += more
    }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard words.prefix(2) == ["vaultd", "ready"], words.count == 3,
      let url = URL(string: String(words[2]))
    else { throw NotReady() }
    self.url = url
    self.process = process
  }

  struct NotReady: Error {}

  /// kill -9: nothing is said good-bye to.
  func kill() {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGTERM, and how it ended.
  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Runs `body` with a connection.
  func connected<R: Sendable>(
    tls: TLSConfiguration? = nil, serverName: String,
    _ body: @escaping @Sendable (Visitor) async throws -> R
  ) async throws -> R {
    try await TestClient.withClient(
      host: "127.0.0.1", port: url.port ?? 0,
      configuration: .init(tlsConfiguration: tls, timeout: .seconds(30), serverName: "localhost")
    ) { client in
      try await body(
        Visitor(serverName: serverName) { request, body in
          let response = try await client.execute(
            .init(
              request.path ?? "/", method: request.method, authority: request.authority,
              headers: request.headerFields, body: body))
          return Answer(
            status: response.status.code, headers: response.headers,
            body: response.body.map { Data($0.readableBytesView) } ?? Data())
        })
    }
  }
}

/// A folder that is removed at the end.
func withFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
  let folder = try TestFolder.make("process")
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}
