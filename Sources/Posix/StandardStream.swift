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

  /// The columns of the terminal, 80 where the stream is none.
  public var columns: Int {
    var size = winsize()
    let status = unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size)
    return status == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }
}
