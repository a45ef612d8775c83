// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Where a process's tests keep their files: one folder, gone when the process ends, and when the
/// next one begins where it did not end by itself.
public enum TestFolder {
  /// A new, empty folder in it; whoever makes it may remove it earlier.
  ///
  /// - Throws: Foundation's errors when it cannot be made.
  public static func make(_ name: String) throws -> URL {
    let folder = path(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// The path of a folder in it that is not there yet.
  public static func path(_ name: String) -> URL {
    root.appending(path: "\(name)-\(UUID().uuidString)", directoryHint: .isDirectory)
  }

  private static let prefix = "vault-tests-"

  private static let root: URL = {
    let parent = FileManager.default.temporaryDirectory
    sweep(parent)
    let root = parent.appending(path: "\(prefix)\(getpid())", directoryHint: .isDirectory)
    try? FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    atexit {
      let own = "\(TestFolder.prefix)\(getpid())"
      try? FileManager.default.removeItem(
        at: FileManager.default.temporaryDirectory.appending(path: own))
    }
    return root
  }()

  /// Removes what processes that are no longer there have left.
  private static func sweep(_ parent: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
    for name in names where name.hasPrefix(prefix) {
      guard let process = pid_t(name.dropFirst(prefix.count)), kill(process, 0) != 0,
        errno == ESRCH
      else { continue }
      try? FileManager.default.removeItem(at: parent.appending(path: name))
    }
  }
}
