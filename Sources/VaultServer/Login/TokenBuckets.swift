// SPDX-License-Identifier: Apache-2.0

/// Token buckets for many keys in fixed memory: 65,536 of them, 512 KiB.
///
/// A bucket is one number, the moment at which it will be full again (the generic cell rate
/// algorithm). Keys share buckets by their hash: nobody can push a victim's bucket out by trying
/// many names, and in a table that is not under attack two keys hardly ever meet.
public struct TokenBuckets: Sendable {
  /// How often something may happen.
  public struct Rate: Sendable {
    /// How often at once.
    public var burst: Int
    /// How long it takes for one more.
    public var interval: Duration

    /// `burst` at once, then one every `interval`.
    public init(burst: Int, interval: Duration) {
      self.burst = burst
      self.interval = interval
    }

    fileprivate var step: Int64 { max(1, milliseconds(interval)) }
    fileprivate var depth: Int64 { step * Int64(max(1, burst)) }
  }

  private static let count = 1 << 16
  private let rate: Rate
  private var fullAt = [Int64](repeating: 0, count: count)

  /// All buckets full.
  init(_ rate: Rate) {
    self.rate = rate
  }

  /// Takes a token of `key`'s bucket, or says how many seconds until there is one.
  mutating func take(_ key: some Hashable, now: Timestamp) -> Int? {
    let index = Self.index(of: key)
    let filled = max(fullAt[index], now.milliseconds) + rate.step
    let wait = filled - now.milliseconds - rate.depth
    guard wait <= 0 else { return Int((wait + 999) / 1000) }
    fullAt[index] = filled
    return nil
  }

  /// Puts a token back.
  mutating func giveBack(_ key: some Hashable) {
    fullAt[Self.index(of: key)] -= rate.step
  }

  /// Swift's hashes are keyed anew in every process, so nobody outside can choose collisions.
  private static func index(of key: some Hashable) -> Int {
    key.hashValue & (count - 1)
  }
}

private func milliseconds(_ duration: Duration) -> Int64 {
  let (seconds, attoseconds) = duration.components
  return seconds * 1000 + attoseconds / 1_000_000_000_000_000
}
