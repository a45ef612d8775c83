// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// One session at the command line, as its text file tells it.
///
///     # A comment. "# server" alone on a line: a vaultd of its own runs, at <<server>>.
///     $ journal write "Dear diary"        a command, for sh
///     < Its standard input.               none: empty
///     <<id>>                              what it must print: <<name>> is a word, the same
///     ! journal: error: …                 each time; … is anything on the line; a line ... is
///     ? 11                                any lines. "!" is standard error, "?" the exit code.
struct Session: Sendable, CustomTestStringConvertible {
  struct Command: Sendable {
    var line: Int
    var text: String
    var input: [String] = []
    var output: [String] = []
    var errors: [String] = []
    var status: Int32 = 0
  }

  let name: String
  var needsServer = false
  var commands: [Command] = []

  var testDescription: String { name }

  struct BadForm: Error { let place: String }

  init(name: String, text: String) throws {
    self.name = name
    var blanks = 0
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      func rest() -> String { String(line.dropFirst(2)) }
      let last = commands.indices.last
      switch line.prefix(2) {
      case "# ", "#": if line == "# server" { needsServer = true }
      case "$ ": commands.append(Command(line: number + 1, text: rest()))
      case "< ", "<": commands[try last ?? bad(number)].input.append(rest())
      case "! ", "!": commands[try last ?? bad(number)].errors.append(rest())
      case "? ":
        guard let status = Int32(rest()) else { throw BadForm(place: "\(name):\(number + 1)") }
        commands[try last ?? bad(number)].status = status
      case "" where line.isEmpty:
        blanks += 1  // Part of the output only if more of it follows.
        continue
      default:
        commands[try last ?? bad(number)].output += Array(repeating: "", count: blanks)
        commands[try last ?? bad(number)].output.append(String(line))
      }
      blanks = 0
    }
  }

  private func bad(_ number: Int) throws -> Int { throw BadForm(place: "\(name):\(number + 1)") }

  /// Every session in `sessions/`, in order of name.
  static let all: [Session] = {
    let folder = Programs.sources.appending(path: "sessions")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".txt") }.sorted().compactMap { name in
      guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8) else {
        return nil
      }
      do {
        return try Session(name: String(name.dropLast(4)), text: text)
      } catch {
        fatalError("\(error)")
      }
    }
  }()
}
