// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Whole sessions at the command line, each one file in `sessions/`.
@Suite struct CommandTests {
  @Test func `there are sessions to run`() {
    #expect(Session.all.count >= 5)
  }

  @Test(arguments: Session.all)
  func `a session goes as its script tells`(_ session: Session) async throws {
    // A short path: it holds Unix sockets.
    let folder = URL(filePath: "/tmp/journal-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    let environment = [
      "PATH": Programs.folder.path + ":/usr/bin:/bin", "HOME": folder.path, "TZ": "UTC",
      "LANG": "C.UTF-8", "T": folder.path,
      "TERMINAL": Programs.sources.appending(path: "terminal.py").path,
      "A": folder.appending(path: "a").path,
      "B": folder.appending(path: "b").path, "JOURNAL_HOME": folder.appending(path: "a").path,
    ]
    var words = NamedWords(["T": folder.path])
    var server: RunningServer?
    if session.needsServer {
      let running = try await Aside.run {
        try RunningServer(data: folder.appending(path: "server"), environment: environment)
      }
      words = NamedWords(["T": folder.path, "server": running.url])
      server = running
    }
    for command in session.commands {
      let text = words.filled(command.text)
      let input = command.input.map(words.filled)
      let result = try await Aside.run {
        try Programs.run(text, input: input, environment: environment)
      }
      let place = Comment(rawValue: "\(session.name).txt:\(command.line): \(text)")
      #expect(result.status == command.status, place)
      let outputFits = words.match(result.output, command.output)
      #expect(
        outputFits, "\(place) printed:\n\(result.output.joined(separator: "\n"))")
      let errorsFit = words.match(result.errors, command.errors)
      #expect(
        errorsFit, "\(place) reported:\n\(result.errors.joined(separator: "\n"))")
      // What follows would only repeat the same news.
      guard result.status == command.status, outputFits, errorsFit else { break }
    }
    // An agent that a session leaves behind ends with it.
    for home in ["a", "b"] {
      _ = try await Aside.run {
        try Programs.run(
          "journal lock --home $T/\(home)", input: [], environment: environment)
      }
    }
    withExtendedLifetime(server) {}
  }
}
