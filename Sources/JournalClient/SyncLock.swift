// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The lock that the one process (and the one task in it) holds which syncs or changes the account.
///
/// Held on a file of its own, so writers of entries are in nobody's way; the system lets it go when
/// the process ends, however it does.
final class SyncLock: Sendable {
  private let handle: FileHandle

  /// Takes the lock.
  ///
  /// - Throws: `syncing` while another one holds it.
  init(_ home: Home) throws(JournalError) {
    do {
      let path = home.syncLock.path
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(
          atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      }
      handle = try FileHandle(forUpdating: home.syncLock)
    } catch {
      throw .file(error)
    }
    guard flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else { throw .syncing }
  }

  deinit {
    // Said, not left to closing: a process that was just started may still share the open file.
    flock(handle.fileDescriptor, LOCK_UN)
    try? handle.close()
  }
}
