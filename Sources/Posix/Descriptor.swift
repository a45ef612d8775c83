// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An open file, folder or socket; closed when its one owner is done with it.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  deinit { _ = close(number) }

  /// Opens `path`; the descriptor does not pass to child processes.
  static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
    let number = try checked("open") { unsafe Int(Glibc.open(path, flags | O_CLOEXEC, 0o600)) }
    return Descriptor(number: Int32(number))
  }

  /// Opens the folder `path`, which must be this user's and closed to everyone else.
  ///
  /// - Throws: ``SystemError`` with `EPERM` for a folder that others own or may enter.
  static func openPrivateFolder(_ path: String) throws(SystemError) -> Descriptor {
    let folder = try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    var facts = stat()
    try checked("fstat") { unsafe Int(fstat(folder.number, &facts)) }
    guard facts.st_uid == geteuid(), facts.st_mode & 0o077 == 0 else {
      throw SystemError(call: "private folder", code: EPERM)
    }
    return folder
  }
}
