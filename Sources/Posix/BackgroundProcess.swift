// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Starts processes that live on after this one.
public enum BackgroundProcess {
  /// Starts `executable`, which calls ``detach()`` first thing.
  ///
  /// Its standard input is one end of a socket pair; output and errors go nowhere. Every signal has
  /// its usual effect on it, whatever this thread blocks or this process ignores.
  ///
  /// - Parameters:
  ///   - executable: A path; `/proc/self/exe` is this program.
  ///   - arguments: All of them, the program's name first. Others can read them: no secret here.
  /// - Returns: The process, with the other end of its standard input.
  /// - Throws: ``SystemError``.
  public static func start(
    _ executable: String, arguments: [String]
  ) throws(SystemError) -> Started {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    try checked("socketpair") { unsafe Int(socketpair(AF_UNIX, kind, 0, &ends)) }
    let mine = Descriptor(number: ends[0])
    let theirs = Descriptor(number: ends[1])

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, theirs.number, STDIN_FILENO)
    for output in [STDOUT_FILENO, STDERR_FILENO] {
      unsafe posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
    }
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // Inherited otherwise, and the threads that run Swift's tasks block almost all of them.
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var process = pid_t()
    let status = unsafe posix_spawn(
      &process, executable, &actions, &attributes, words, environ)
    guard status == 0 else { throw SystemError(call: "posix_spawn", code: status) }
    return Started(id: process, socket: LocalSocket(owning: mine))
  }

  /// A process that was started.
  public struct Started: ~Copyable, Sendable {
    /// Its number.
    public let id: Int32
    /// The other end of its standard input.
    public let socket: LocalSocket
  }

  /// Makes this process the background process it was started as: a session of its own, no
  /// folder kept busy, none of the starter's other files held open.
  public static func detach() {
    _ = setsid()
    _ = unsafe chdir("/")
    for descriptor in 3..<Int32(1024) { _ = close(descriptor) }
  }
}
