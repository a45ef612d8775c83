// SPDX-License-Identifier: Apache-2.0
import Foundation
import Posix

/// The person's own editor, on a file that lies in memory where the system has such a folder.
enum Editor {
  /// `text` as the person left it.
  ///
  /// - Throws: ``Complaint`` where there is no editor, or it failed.
  static func edit(_ text: String) throws -> String {
    let variables = ProcessInfo.processInfo.environment
    let editor = variables["VISUAL"] ?? variables["EDITOR"] ?? "editor"
    let folder = try makeFolder(variables)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "entry.md")
    try Data(text.utf8).write(to: file)
    defer { overwrite(file) }

    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "exec \(editor) \"$1\"", "sh", file.path]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Complaint(
        "the editor ended with status \(process.terminationStatus)", hints: "nothing was changed")
    }
    guard let edited = String(data: try Data(contentsOf: file), encoding: .utf8) else {
      throw Complaint("the text is not UTF-8", hints: "nothing was changed")
    }
    return edited.hasSuffix("\n") && !text.hasSuffix("\n") ? String(edited.dropLast()) : edited
  }

  /// A new private folder; the program's umask closes it to others.
  private static func makeFolder(_ variables: [String: String]) throws -> URL {
    let candidates = [variables["XDG_RUNTIME_DIR"], "/dev/shm", NSTemporaryDirectory()]
    for case let parent? in candidates {
      let folder = URL(filePath: parent).appending(path: "journal-\(UUID().uuidString)")
      let made: Void? = try? FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      if made != nil { return folder }
    }
    throw Complaint("there is no folder for the editor's file", hints: "nothing was changed")
  }

  private static func overwrite(_ file: URL) {
    guard let handle = try? FileHandle(forUpdating: file) else { return }
    let count = (try? handle.seekToEnd()) ?? 0
    try? handle.seek(toOffset: 0)
    try? handle.write(contentsOf: Data(count: Int(clamping: count)))
    try? handle.close()
  }
}

extension StandardStream {
  /// The whole of standard input.
  ///
  /// - Throws: ``Complaint`` for what is no UTF-8, or too long for an entry.
  static func readText() throws -> String {
    let limit = 1 << 20
    let data = try FileHandle.standardInput.read(upToCount: limit + 1) ?? Data()
    guard data.count <= limit else {
      throw Complaint("the text is longer than 1 MiB", hints: "no entry was made")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Complaint("the text is not UTF-8", hints: "no entry was made")
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }
}
