// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The programs that the build made beside this test bundle, run as a person would run them.
enum Programs {
  /// The folder of `journal` and `vaultd`.
  static let folder: URL = {
    // swift test starts the bundle itself on Linux.
    var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    repeat {
      folder.deleteLastPathComponent()
    } while !FileManager.default.fileExists(
      atPath: folder.appending(path: "journal").path) && folder.path != "/"
    return folder
  }()

  /// The folder of this file, of `sessions/` and of `terminal.py`.
  static let sources = URL(filePath: #filePath).deletingLastPathComponent()

  struct Ended: Sendable {
    var output: [String]
    var errors: [String]
    var status: Int32
  }

  /// Runs `command` in sh, without a terminal.
  static func run(_ command: String, input: [String], environment: [String: String]) throws
    -> Ended
  {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setsid")
    process.arguments = ["--wait", "sh", "-c", command]
    process.environment = environment
    let scratch = URL(filePath: NSTemporaryDirectory()).appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = try ["in", "out", "err"].map { name in
      let url = scratch.appending(path: name)
      try Data((name == "in" ? input.map { $0 + "\n" }.joined() : "").utf8).write(to: url)
      return url
    }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    return Ended(
      output: lines(try String(contentsOf: files[1], encoding: .utf8)),
      errors: lines(try String(contentsOf: files[2], encoding: .utf8)),
      status: process.terminationStatus)
  }

  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

/// Where what blocks is done, one after another: waiting for a process on the pool that all tests
/// share would hold up the others.
enum Aside {
  private static let queue = DispatchQueue(label: "command tests")

  static func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result(catching: work)) }
    }
  }
}

/// A `vaultd` of its own, on SQLite and a port that the kernel chose.
final class RunningServer: @unchecked Sendable {
  let url: String
  private let process = Process()

  struct NotReady: Error { let line: String }

  init(data: URL, environment: [String: String]) throws {
    process.executableURL = Programs.folder.appending(path: "vaultd")
    process.arguments = ["serve", "--data", data.path, "--listen", "127.0.0.1:0"]
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = try FileHandle(forWritingTo: URL(filePath: "/dev/null"))
    try process.run()
    // The first line on stdout names the address, when it is ready.
    var line = Data()
    while !line.contains(0x0A) {
      let more = pipe.fileHandleForReading.availableData
      guard !more.isEmpty else { break }
      line += more
    }
    let text = String(decoding: line, as: UTF8.self)
    guard let start = text.range(of: "http://") else {
      process.terminate()
      throw NotReady(line: text)
    }
    url = String(text[start.lowerBound...].prefix { !$0.isWhitespace })
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }
}
