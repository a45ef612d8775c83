// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Sodium

/// Rows 8 and 9 inside a running process: two devices of one vault that are in step.
///
///     ClientBenchmark NAME HOME-A HOME-B PASSWORD-FILE
///
/// One JSON object a line on stdout. The limit beside each is the median of the same run's
/// nothing-changed sync: one request and its checks.
@main
struct Program {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5 else {
      fatalError("usage: ClientBenchmark NAME HOME-A HOME-B PASSWORD-FILE")
    }
    let (a, b) = (
      try await device(arguments[2], arguments[4]), try await device(arguments[3], arguments[4])
    )
    for device in [a, b] { _ = try await device.engine.sync() }
    let empty = try await times(300) { _ = try await a.engine.sync() }
    report("9 nothing-changed sync in a running process, \(arguments[1])", empty, empty, "0.6 ms")
    let edits = try await times(100) {
      let entry = try a.journal.write(content: "One edit.")
      _ = try await a.engine.sync()
      _ = try await b.engine.sync()
      guard try b.journal.entry(entry.id).content == "One edit." else { fatalError("not there") }
    }
    report("8 written on A, synced, readable on B, \(arguments[1])", edits, empty, "p50 3 ms")
  }

  static func device(_ home: String, _ passwordFile: String) async throws
    -> (journal: Journal, engine: SyncEngine)
  {
    let environment = Environment(now: {
      Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    })
    let journal = try Journal.open(in: Home(URL(filePath: home)), environment: environment)
    let line = try String(contentsOf: URL(filePath: passwordFile), encoding: .utf8)
    let password = Array(line.utf8.dropLast())
    try await journal.unlock(password: SecretBytes(copying: password.span))
    return (journal, SyncEngine(journal))
  }

  /// Seconds of `count` runs in order of size, after ten that do not count.
  static func times(_ count: Int, _ body: @Sendable () async throws -> Void) async throws
    -> [Double]
  {
    for _ in 0..<10 { try await body() }
    var times: [Double] = []
    for _ in 0..<count {
      let time = try await ContinuousClock().measure(body)
      times.append(Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
    }
    return times.sorted()
  }

  /// Median, and the least and the 99th of a hundred as the range.
  static func report(_ name: String, _ times: [Double], _ beside: [Double], _ target: String) {
    let limit = beside[beside.count / 2]
    let (middle, least, most) = (
      times[times.count / 2], times[0], times[times.count * 99 / 100]
    )
    let line =
      "{\"row\": \"\(name)\", \"ms\": \(middle * 1_000), \"limit_ms\": \(limit * 1_000), "
      + "\"ratio\": \(middle / limit), \"ratio_min\": \(least / limit), "
      + "\"ratio_max\": \(most / limit), \"target\": \"\(target)\"}\n"
    FileHandle.standardOutput.write(Data(line.utf8))
  }
}
