// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Remembers for a minute which tokens were good, so that asking before a body is read costs one
/// look-up a minute and device.
///
/// It lets bytes in and counts requests; what a token may do the store decides, every time.
final class KnownCallers: Sendable {
  private static let life: Duration = .seconds(60)
  private static let most = 65_536
  private let seen = Mutex<[Caller: Timestamp]>([:])

  /// Whether the caller's token was good a short while ago.
  func isKnown(_ caller: Caller, now: Timestamp) -> Bool {
    seen.withLock { $0[caller] }.map { now < $0 + Self.life && $0 <= now } ?? false
  }

  /// Remembers a token that was just found good.
  func remember(_ caller: Caller, now: Timestamp) {
    seen.withLock { seen in
      if seen.count >= Self.most { seen = seen.filter { now < $0.value + Self.life } }
      if seen.count < Self.most { seen[caller] = now }
    }
  }
}
