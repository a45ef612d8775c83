// SPDX-License-Identifier: Apache-2.0
import Foundation
public import Logging

/// The server's log: one line an event, of words compiled in, numbers, and route templates.
///
/// There is no way to log a string that came from outside: no name, id, path, body or address, and
/// no error's own text.
public struct ServerLog: Sendable {
  private let level: Logger.Level
  private let clock: ServerClock
  private let write: @Sendable (String) -> Void

  /// A log of `level` and above, each line given to `write`; to standard error unless told
  /// otherwise.
  public init(
    level: Logger.Level, clock: @escaping ServerClock,
    write: @escaping @Sendable (String) -> Void = Self.standardError
  ) {
    self.level = level
    self.clock = clock
    self.write = write
  }

  /// Writes a line to standard error; a closed one is no reason to stop serving.
  public static let standardError: @Sendable (String) -> Void = { line in
    try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
  }

  /// Logs an event with counts.
  public func event(
    _ level: Logger.Level, _ event: StaticString, _ counts: KeyValuePairs<StaticString, Int> = [:]
  ) {
    guard level >= self.level else { return }
    line(level, event, counts.map { "\($0.key)=\($0.value)" })
  }

  /// Logs an answered request.
  func request(
    _ route: RouteLabel, status: Int, duration: Duration, bytesIn: Int, bytesOut: Int
  ) {
    let level: Logger.Level = status == 500 ? .error : .info
    guard level >= self.level else { return }
    let microseconds = duration / .microseconds(1)
    line(
      level, "request",
      [
        "method=\(route.method)", "route=\(route.path)", "status=\(status)",
        "us=\(Int(microseconds))", "in=\(bytesIn)", "out=\(bytesOut)",
        "id=\(String(UInt64.random(in: 0 ... .max), radix: 36))",
      ])
  }

  /// Logs why the store could not do what it was asked, where that is the server's own trouble.
  func store(_ error: StoreError) {
    switch error {
    case .unauthorized, .notFresh, .gone: break
    case .unavailable(let fault): line(.warning, "store unavailable", ["fault=\(word(fault))"])
    case .damaged: line(.error, "store damaged", [])
    }
  }

  private func word(_ fault: StoreError.Fault) -> String {
    switch fault {
    case .full: "full"
    case .inputOutput: "input-output"
    case .busy: "busy"
    case .connection: "connection"
    case .closed: "closed"
    case .other(let code):
      "code-" + code.prefix(8).filter { $0.isASCII && $0.isLetter || $0.isNumber }
    }
  }

  private func line(_ level: Logger.Level, _ event: StaticString, _ fields: [String]) {
    let seconds = Double(clock().milliseconds) / 1000
    let time = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    let fields = fields.isEmpty ? "" : " " + fields.joined(separator: " ")
    write("time=\(time) level=\(level) event=\"\(event)\"\(fields)")
  }

  /// What the framework logs through: of its errors, where they happened; of their text, nothing.
  var framework: Logger {
    Logger(label: "framework") { _ in FrameworkLog(log: self) }
  }

  fileprivate func framework(_ source: String, line number: UInt) {
    line(.error, "framework error", ["source=\(source)", "line=\(number)"])
  }
}

/// Takes the framework's log lines and leaves their words out.
private struct FrameworkLog: LogHandler {
  let log: ServerLog
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .error

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    log.framework(event.source, line: event.line)
  }
}
