// SPDX-License-Identifier: Apache-2.0
import Glibc
import Posix

/// Where this program speaks: everything a person reads goes through here.
enum Terminal {
  /// Prints `text` and an end of line to standard output.
  static func show(_ text: String) {
    write(safe(text, for: .output) + "\n", to: .output)
  }

  /// Prints `lines`, each with its end.
  static func show(lines: [String]) {
    guard !lines.isEmpty else { return }
    show(lines.joined(separator: "\n"))
  }

  /// Prints what a person should know beside the output, to standard error.
  static func note(_ text: String) {
    write(safe(text, for: .errors) + "\n", to: .errors)
  }

  /// Prints what happened, what it means, what to do.
  static func report(_ complaint: Complaint) {
    note("journal: error: \(complaint.what)")
    for hint in complaint.hints { note("journal: hint: \(hint)") }
  }

  /// Prints `text` as it is.
  static func write(_ text: String, to stream: StandardStream) {
    write(Array(text.utf8).span, to: stream)
  }

  /// Prints `bytes`, which may be secret, past every buffer of this program.
  static func write(_ bytes: Span<UInt8>, to stream: StandardStream) {
    var start = 0
    while start < bytes.count {
      let sent = stream.write(bytes.extracting(start..<bytes.count))
      guard sent > 0 else { return }
      start += sent
    }
  }

  /// `text` without the control characters that could steer a terminal; as it is elsewhere.
  static func safe(_ text: String, for stream: StandardStream) -> String {
    guard stream.isTerminal else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.filter(isHarmless)))
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: true
    case 0..<0x20, 0x7F..<0xA0: false
    // What reorders a line: embeddings, overrides, isolates.
    case 0x202A...0x202E, 0x2066...0x2069: false
    default: true
    }
  }

  /// Asks a question whose answer may be seen.
  ///
  /// - Throws: ``Complaint`` where nobody can answer; it names the flag to use instead.
  static func ask(_ question: String, insteadOf flag: String) throws -> String {
    guard StandardStream.input.isTerminal, StandardStream.errors.isTerminal else {
      throw Complaint.nobodyToAsk(flag: flag)
    }
    write(safe(question, for: .errors) + " ", to: .errors)
    guard let answer = readLine() else { throw Complaint.interrupted }
    return answer.trimmingSpaces
  }

  /// Asks for a yes.
  ///
  /// - Throws: ``Complaint`` for anything else, and where nobody can answer.
  static func confirm(_ question: String, yes: Bool) throws {
    if yes { return }
    let answer = try ask(question + " [y/N]", insteadOf: "--yes").lowercased()
    guard answer == "y" || answer == "yes" else { throw Complaint.declined }
  }
}

extension String {
  /// Without spaces and ends of line at both ends.
  var trimmingSpaces: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
