// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// A connection over loopback of which a test decides every byte, and when it is read.
final class RawConnection: Sendable {
  private let socket: Int32
  private let isOpen = Mutex(true)

  struct NotConnected: Error {}

  /// Connects; `buffer` bounds what the system takes in for it before it is read.
  init(port: Int, buffer: Int32? = nil) throws {
    // The framework listens at "localhost", which is ::1 on a machine whose /etc/hosts says so.
    guard let socket = Self.connected(port, AF_INET) ?? Self.connected(port, AF_INET6) else {
      throw NotConnected()
    }
    self.socket = socket
    // A test that waits in vain shall fail, not hang.
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    if var buffer {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  private static func connected(_ port: Int, _ family: Int32) -> Int32? {
    let socket = Glibc.socket(family, Int32(SOCK_STREAM.rawValue), 0)
    var four = sockaddr_in()
    four.sin_family = sa_family_t(AF_INET)
    four.sin_port = in_port_t(port).bigEndian
    four.sin_addr.s_addr = inet_addr("127.0.0.1")
    var six = sockaddr_in6()
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = in_port_t(port).bigEndian
    six.sin6_addr = in6addr_loopback
    let result =
      family == AF_INET
      ? withUnsafeBytes(of: &four) { connect(socket, address($0), socklen_t($0.count)) }
      : withUnsafeBytes(of: &six) { connect(socket, address($0), socklen_t($0.count)) }
    if result == 0 { return socket }
    Glibc.close(socket)
    return nil
  }

  private static func address(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<sockaddr>? {
    bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
  }

  deinit { close() }

  /// Sends text, all of it.
  func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    else { throw NotConnected() }
  }

  /// Sends a request's head that announces a body.
  func sendHead(
    _ method: String, _ path: String, length: Int, authorization: String? = nil
  ) throws {
    let token = authorization.map { "authorization: \($0)\r\n" } ?? ""
    try send(
      "\(method) \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/protobuf\r\n"
        + token + "content-length: \(length)\r\n\r\n")
  }

  /// What comes next, up to some size; nothing at the end.
  func receive() async -> String {
    await withCheckedContinuation { continuation in
      // Not on the queue that tasks run on: those would wait for who waits here.
      Thread.detachNewThread { [socket] in
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &bytes, bytes.count, 0)
        continuation.resume(returning: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
      }
    }
  }

  /// Says that nothing more comes.
  func endSending() throws {
    guard shutdown(socket, Int32(SHUT_WR)) == 0 else { throw NotConnected() }
  }

  private func close() {
    let isOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if isOpen { Glibc.close(socket) }
  }

  /// All that comes until the other side ends it.
  func receiveAll() async -> String {
    var all = ""
    while true {
      let part = await receive()
      if part.isEmpty { return all }
      all += part
    }
  }
}
