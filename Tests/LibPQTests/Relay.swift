// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Stands between client and server on a Unix socket and counts round trips: how often the
/// client spoke after the server had.
final class Relay: Sendable {
  struct Failed: Error {
    let what: String
  }

  let url: String
  private let folder: String
  private let listening: Int32
  private let turns = Mutex(0)

  var roundTrips: Int { turns.withLock { $0 } }

  /// A relay for one connection to the server at `url`, which must be on a Unix socket.
  init(to url: String) throws {
    let items = URLComponents(string: url)?.queryItems ?? []
    let host = items.first { $0.name == "host" }?.value ?? ""
    let port = items.first { $0.name == "port" }?.value ?? "5432"
    guard host.hasPrefix("/") else { throw Failed(what: "the server has no Unix socket") }
    folder = NSTemporaryDirectory() + "/relay-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    listening = try Relay.socket("\(folder)/.s.PGSQL.\(port)") { bind($0, $1, $2) }
    guard listen(listening, 1) == 0 else { throw Failed(what: "listen") }
    self.url = url.replacingOccurrences(of: host, with: folder)
    let server = try Relay.socket("\(host)/.s.PGSQL.\(port)") { connect($0, $1, $2) }
    let thread = Thread { [weak self, listening] in
      let client = accept(listening, nil, nil)
      Relay.pump(client, server) { self?.turns.withLock { $0 += 1 } }
    }
    thread.start()
  }

  deinit {
    close(listening)
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func socket(
    _ path: String, _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < 108 else { throw Failed(what: "path too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let status = withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        call(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0 else { throw Failed(what: "socket \(path)") }
    return descriptor
  }

  private static func pump(_ client: Int32, _ server: Int32, onTurn: () -> Void) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var serverSpoke = true
    var polled = [pollfd(fd: client, events: Int16(POLLIN), revents: 0)]
    polled.append(pollfd(fd: server, events: Int16(POLLIN), revents: 0))
    while poll(&polled, 2, -1) > 0 {
      for (from, to) in [(0, 1), (1, 0)] where polled[from].revents != 0 {
        let count = read(polled[from].fd, &buffer, buffer.count)
        guard count > 0 else {
          close(client)
          close(server)
          return
        }
        if from == 0, serverSpoke { onTurn() }
        serverSpoke = from == 1
        var sent = 0
        while sent < count {
          let written = buffer[sent..<count].withUnsafeBytes {
            write(polled[to].fd, $0.baseAddress, $0.count)
          }
          guard written > 0 else { return }
          sent += written
        }
      }
    }
  }
}
