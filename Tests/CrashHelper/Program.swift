// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow

/// A process to be killed: works on a journal and says on stdout what was acknowledged.
///
/// `write HOME PREFIX N` writes N entries, saying each one's text when it is saved;
/// `import HOME FILE` imports a file; `edit HOME ID N` edits one entry N times;
/// `limit BYTES write …` first lowers the size that any file may grow to.
@main enum Program {
  static func main() throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "limit", arguments.count > 2, let bytes = rlim_t(arguments[1]) {
      var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      signal(SIGXFSZ, SIG_IGN)
      arguments.removeFirst(2)
    }
    guard arguments.count >= 3 else { exit(2) }
    do {
      try run(arguments)
    } catch {
      say("error \(error)")
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    let environment = Environment(now: {
      Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    })
    let home = Home(URL(filePath: arguments[1]))
    let journal = try Journal.open(in: home, environment: environment)
    let count = arguments.count > 3 ? Int(arguments[3]) ?? 0 : 0
    switch arguments[0] {
    case "write":
      for number in 0..<count {
        let text = "\(arguments[2])-\(number)"
        try journal.write(content: text)
        say(text)
      }
    case "edit":
      guard let id = ObjectID(hex: arguments[2]) else { exit(2) }
      for number in 0..<count {
        try journal.edit(id) { $0.content = "state \(number)" }
        say("state \(number)")
      }
    case "import":
      let report = try journal.importJSON(URL(filePath: arguments[2])) { say("\($0.done)") }
      say("added \(report.added)")
    default: exit(2)
    }
  }

  /// One line, at once: what was said was acknowledged.
  private static func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}
