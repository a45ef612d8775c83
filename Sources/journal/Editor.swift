// SPDX-License-Identifier: Apache-2.0
import Foundation
import Posix

/// The person's own editor, on a file that lies in memory where the system has such a folder.
enum Editor {
  /// Gives `save` the text as the person left it; the file goes once that is durable.
  ///
  /// Where the editor or the save fails, the file stays, 0600, and the complaint names it.
  ///
  /// - Throws: ``Complaint`` where there is no editor, or it failed; what `save` throws.
  static func edit<R>(_ text: String, save: (String) throws -> R) throws -> R {
    let draft = try Draft(text)
    do {
      try run(on: draft.file)
      let saved = try save(try draft.text())
      draft.discard()
      return saved
    } catch {
      guard draft.isChanged else {
        draft.discard()
        throw error
      }
      throw Complaint(error).adding("your text is kept in \(draft.file.path)")
    }
  }

  /// Opens the file in the editor, and waits.
  private static func run(on file: URL) throws {
    let variables = ProcessInfo.processInfo.environment
    let editor = variables["VISUAL"] ?? variables["EDITOR"] ?? "editor"
    let status: Int32
    do {
      status = try ForegroundProcess.run(
        "/bin/sh", arguments: ["sh", "-c", "exec \(editor) \"$1\"", "sh", file.path])
    } catch {
      throw Complaint("the editor cannot be started", hints: "nothing was changed")
    }
    guard status == 0 else {
      throw Complaint("the editor ended with status \(status)", hints: "nothing was changed")
    }
  }
}

/// A text in a file of its own while a person works on it.
private struct Draft {
  let file: URL
  private let folder: URL
  private let original: String

  /// A new file with `text`, in a private folder.
  init(_ text: String) throws {
    original = text
    folder = try Self.makeFolder()
    file = folder.appending(path: "entry.md")
    guard
      FileManager.default.createFile(
        atPath: file.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else {
      try? FileManager.default.removeItem(at: folder)
      throw Complaint("the editor's file cannot be written", hints: "nothing was changed")
    }
  }

  /// What the file says now, without the end of line that an editor adds.
  func text() throws -> String {
    guard let edited = String(data: try Data(contentsOf: file), encoding: .utf8) else {
      throw Complaint("the text is not UTF-8", hints: "nothing was changed")
    }
    return edited.hasSuffix("\n") && !original.hasSuffix("\n") ? String(edited.dropLast()) : edited
  }

  /// Whether there is anything in it that the journal has not.
  var isChanged: Bool {
    guard let data = try? Data(contentsOf: file) else { return false }
    return data != Data(original.utf8) && data != Data((original + "\n").utf8)
  }

  /// Overwrites the file and removes it.
  func discard() {
    if let handle = try? FileHandle(forUpdating: file) {
      let count = (try? handle.seekToEnd()) ?? 0
      try? handle.seek(toOffset: 0)
      try? handle.write(contentsOf: Data(count: Int(clamping: count)))
      try? handle.close()
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// A new private folder, in memory where the system has such a place.
  private static func makeFolder() throws -> URL {
    let runtime = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"]
    for case let parent? in [runtime, "/dev/shm", NSTemporaryDirectory()] {
      let folder = URL(filePath: parent).appending(path: "journal-\(UUID().uuidString)")
      let made: Void? = try? FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      if made != nil { return folder }
    }
    throw Complaint("there is no folder for the editor's file", hints: "nothing was changed")
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
