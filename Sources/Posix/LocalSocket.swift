// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Sodium

/// One end of a Unix stream socket between processes of one user.
///
/// Addresses are a name in a private folder: the folder is opened first, and its owner and mode
/// checked, so that no one else can have put the socket there, and its path may be of any length.
public struct LocalSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor

  init(owning descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }

  /// Standard input of a process that ``BackgroundProcess/start(_:arguments:)`` began: the other
  /// end of what that call returned.
  public static func fromParent() -> LocalSocket {
    LocalSocket(owning: Descriptor(number: STDIN_FILENO))
  }

  /// Connects to the socket `name` in `folder`.
  ///
  /// - Throws: ``SystemError``; ``SystemError/nobodyListens`` tells an absent or dead listener.
  public static func connect(to name: String, in folder: String) throws(SystemError) -> LocalSocket
  {
    let socket = try make()
    try unsafe withAddress(name, in: folder) { (address, length) throws(SystemError) in
      try checked("connect") {
        unsafe Int(Glibc.connect(socket.descriptor.number, address, length))
      }
    }
    return socket
  }

  /// Listens at `name` in `folder`, in the place of a dead listener's socket if there is one.
  ///
  /// Only one process at a time looks and takes the place, so that of two the second finds the first.
  ///
  /// - Throws: ``SystemError``; `EADDRINUSE` when another process listens there.
  public static func listen(at name: String, in folder: String) throws(SystemError) -> LocalSocket {
    let lock = try Descriptor.open("\(folder)/\(name).lock", O_RDWR | O_CREAT | O_NOFOLLOW)
    try checked("flock") { Int(flock(lock.number, LOCK_EX)) }
    // Held until here.
    defer { _ = flock(lock.number, LOCK_UN) }
    do throws(SystemError) {
      _ = try connect(to: name, in: folder)
      throw SystemError(call: "listen", code: EADDRINUSE)
    } catch {
      guard error.nobodyListens else { throw error }
    }
    let socket = try make()
    remove(name, in: folder)
    try unsafe withAddress(name, in: folder) { (address, length) throws(SystemError) in
      try checked("bind") { unsafe Int(bind(socket.descriptor.number, address, length)) }
    }
    try checked("listen") { Int(Glibc.listen(socket.descriptor.number, 16)) }
    return socket
  }

  /// Makes the private folder of addresses, where it does not exist.
  public static func makeFolder(_ folder: String) {
    _ = unsafe mkdir(folder, 0o700)
  }

  /// Ends this listening socket, which has the address `name` in `folder`.
  ///
  /// The address goes first: while this one listens, nobody else can have taken it.
  public consuming func close(_ name: String, in folder: String) {
    Self.remove(name, in: folder)
    _ = consume self
  }

  private static func remove(_ name: String, in folder: String) {
    _ = unsafe unlink("\(folder)/\(name)")
  }

  /// Waits until there is something to read, or someone to accept, or the other end has closed.
  ///
  /// - Parameter milliseconds: How long at most.
  /// - Returns: Whether there is; false after the time.
  /// - Throws: ``SystemError``.
  public borrowing func wait(milliseconds: Int) throws(SystemError) -> Bool {
    var entry = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    let limit = Int32(clamping: milliseconds)
    return try checked("poll") { unsafe Int(poll(&entry, 1, limit)) } > 0
  }

  /// The next connection of this listening socket.
  ///
  /// - Throws: ``SystemError``.
  public borrowing func accept() throws(SystemError) -> LocalSocket {
    let number = try checked("accept") { Int(Glibc.accept(descriptor.number, nil, nil)) }
    _ = fcntl(Int32(number), F_SETFD, FD_CLOEXEC)
    let socket = LocalSocket(owning: Descriptor(number: Int32(number)))
    try socket.limitWaiting()
    return socket
  }

  /// Whether the process at the other end runs as this process's user; the kernel says so.
  public borrowing func peerIsThisUser() -> Bool {
    // struct ucred of socket(7): process, user, group.
    var peer: (pid_t, uid_t, gid_t) = (0, 0, 0)
    var length = socklen_t(MemoryLayout<(pid_t, uid_t, gid_t)>.size)
    let status = unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, &peer, &length)
    return status == 0 && peer.1 == geteuid()
  }

  /// Sends every one of `bytes`.
  ///
  /// - Throws: ``SystemError``; `EPIPE` when the other end is gone.
  public borrowing func send(_ bytes: Span<UInt8>) throws(SystemError) {
    var sent = 0
    while sent < bytes.count {
      let rest = bytes.extracting(sent..<bytes.count)
      sent += try checked("send") {
        unsafe rest.withUnsafeBytes {
          unsafe Glibc.send(
            descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
      }
    }
  }

  /// Receives exactly `count` bytes, in locked memory.
  ///
  /// - Throws: ``SystemError``; `ECONNRESET` when the other end closed before that.
  public borrowing func receive(count: Int) throws(SystemError) -> SecretBytes {
    try SecretBytes(count: count) { (out) throws(SystemError) in
      var got = 0
      while got < count {
        let more = try checked("recv") {
          unsafe out.withUnsafeMutableBytes {
            unsafe recv(descriptor.number, $0.baseAddress.map { unsafe $0 + got }, count - got, 0)
          }
        }
        guard more > 0 else { throw SystemError(call: "recv", code: ECONNRESET) }
        got += more
      }
    }
  }

  private static func make() throws(SystemError) -> LocalSocket {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let number = try checked("socket") { Int(Glibc.socket(AF_UNIX, kind, 0)) }
    let socket = LocalSocket(owning: Descriptor(number: Int32(number)))
    try socket.limitWaiting()
    return socket
  }

  /// No read or write of a connection waits longer than five seconds.
  private borrowing func limitWaiting() throws(SystemError) {
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      try checked("setsockopt") {
        unsafe Int(setsockopt(descriptor.number, SOL_SOCKET, option, &limit, size))
      }
    }
  }

  /// Lends the address of `name` in `folder`, which must be private.
  private static func withAddress(
    _ name: String, in folder: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
  ) throws(SystemError) {
    let folder = try Descriptor.openPrivateFolder(folder)
    let path = [UInt8]("/proc/self/fd/\(folder.number)/\(name)".utf8)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard path.count < room else { throw SystemError(call: "bind", code: ENAMETOOLONG) }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    var failure: SystemError?
    unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        do throws(SystemError) { try unsafe body($0, length) } catch { failure = error }
      }
    }
    // The path goes through it until here.
    _ = consume folder
    if let failure { throw failure }
  }
}
