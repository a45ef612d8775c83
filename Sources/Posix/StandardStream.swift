// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The standard streams, as far as a terminal is concerned.
public enum StandardStream: Int32, Sendable {
  /// Where this process reads from.
  case input = 0
  /// Where it prints what was asked for.
  case output = 1
  /// Where it reports.
  case errors = 2

  /// Whether it is a terminal.
  public var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes the beginning of `bytes`, as much as the stream takes at once.
  ///
  /// - Returns: How many bytes; 0 when the stream is closed or full for good.
  public func write(_ bytes: Span<UInt8>) -> Int {
    let sent = try? checked("write") {
      unsafe bytes.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress, $0.count) }
    }
    return sent ?? 0
  }

  /// The columns of the terminal, 80 where the stream is none.
  public var columns: Int {
    var size = winsize()
    let status = unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size)
    return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}
