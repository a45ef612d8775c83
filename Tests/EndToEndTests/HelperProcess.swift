// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization

/// A child process whose output is read to its end.
///
/// Not Foundation's `Process`: with more than about 1,300 files open, as whole devices and servers in
/// one process have, its walk over /proc/self/fd copies beyond the end of a directory's buffer
/// (Swift 6.3.1) and the tests crash.
final class HelperProcess: Sendable {
  private let output: FileHandle
  /// Nothing once it was waited for: the number may be another's then.
  private let running: Mutex<pid_t?>

  init(_ program: URL, _ arguments: [String]) throws {
    let (child, output) = try Self.spawning.withLock { _ in try Self.spawn(program, arguments) }
    self.output = output
    running = Mutex(child)
  }

  /// One at a time, so that no child inherits the pipe of another.
  private static let spawning = Mutex(())

  private static func spawn(
    _ program: URL, _ arguments: [String]
  ) throws -> (pid_t, FileHandle) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var words = ([program.path] + arguments).map { strdup($0) }
    defer { words.forEach { free($0) } }
    words.append(nil)
    var pid: pid_t = 0
    let status = posix_spawn(&pid, program.path, &actions, nil, words, environ)
    close(ends[1])
    let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: status) ?? .ENOEXEC) }
    return (pid, output)
  }

  /// Kills it, if it is still there.
  func kill() {
    running.withLock { if let pid = $0 { _ = Glibc.kill(pid, SIGKILL) } }
  }

  /// What it wrote until it ended.
  func finish() -> Data {
    let said = output.readDataToEndOfFile()
    running.withLock { pid in
      if let pid { _ = waitpid(pid, nil, 0) }
      pid = nil
    }
    return said
  }
}
