// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A program that has the terminal while this one waits for it, as an editor does.
public enum ForegroundProcess {
  /// Runs `executable` to its end, in this process's group and on its streams.
  ///
  /// Ctrl-C and Ctrl-\ are the other program's meanwhile, as with `system(3)`: what it was given to
  /// work on must not be lost because this one died of them.
  ///
  /// `arguments` are all of them, the program's name first.
  ///
  /// - Returns: Its exit code; 128 and the signal's number where one ended it.
  /// - Throws: ``SystemError``.
  public static func run(_ executable: String, arguments: [String]) throws(SystemError) -> Int32 {
    var ignore = sigaction()
    unsafe ignore.__sigaction_handler.sa_handler = SIG_IGN
    var before = (sigaction(), sigaction())
    _ = unsafe sigaction(SIGINT, &ignore, &before.0)
    _ = unsafe sigaction(SIGQUIT, &ignore, &before.1)
    defer {
      _ = unsafe sigaction(SIGINT, &before.0, nil)
      _ = unsafe sigaction(SIGQUIT, &before.1, nil)
    }
    // The other program hears of them as ever.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var usual = sigset_t()
    unsafe sigemptyset(&usual)
    unsafe sigaddset(&usual, SIGINT)
    unsafe sigaddset(&usual, SIGQUIT)
    unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var process = pid_t()
    let failure = unsafe posix_spawn(&process, executable, nil, &attributes, words, environ)
    guard failure == 0 else { throw SystemError(call: "posix_spawn", code: failure) }
    var status: Int32 = 0
    try checked("waitpid") { unsafe Int(waitpid(process, &status, 0)) }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }
}
