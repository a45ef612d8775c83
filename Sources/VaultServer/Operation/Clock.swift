// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Tells the time; the program's own reads the system's, a test's is set by hand.
public typealias ServerClock = @Sendable () -> Timestamp

extension Timestamp {
  /// The system's time.
  public static func system() -> Timestamp {
    Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
  }
}
