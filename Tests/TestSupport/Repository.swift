// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where this checkout lies, and what lies beside it.
public enum Repository {
  /// The folder of `Package.swift`, symbolic links resolved.
  public static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The project's own vectors, RFC values included.
  public static let vectors = root.appending(path: "keyflow/vectors")

  /// The large external vector sets, which are not part of the repository; nil where they are not.
  ///
  /// `VAULT_EXTERNAL_VECTORS` names the folder; without it `shared/vectors` beside the checkout is
  /// looked for.
  ///
  /// - Throws: ``MissingVectors`` where `CI` is `true`: there they must be.
  public static func external(_ path: String) throws -> URL? {
    let environment = ProcessInfo.processInfo.environment
    let folder =
      environment["VAULT_EXTERNAL_VECTORS"].map { URL(filePath: $0) }
      ?? root.deletingLastPathComponent().appending(path: "shared/vectors")
    let file = folder.appending(path: path)
    if FileManager.default.fileExists(atPath: file.path) { return file }
    if environment["CI"] == "true" { throw MissingVectors(path: path) }
    print("not run: \(path) is not on this machine (set VAULT_EXTERNAL_VECTORS)")
    return nil
  }
}

/// A vector file that CI must have and has not.
public struct MissingVectors: Error {
  /// The file, relative to the folder of external vectors.
  public let path: String
}
