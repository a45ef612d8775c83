// SPDX-License-Identifier: Apache-2.0
package import KeyExchange
public import KeyFlow

/// A moment in milliseconds since 1970, UTC; negative before it.
public struct Instant: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z.
  public var milliseconds: Int64

  /// A moment.
  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// Whether `a` is before `b`.
  public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }
}

/// What the SDK asks of the world, so that tests can give it: the time, new ids, the time zone.
public struct Environment: Sendable {
  /// The time now.
  public var now: @Sendable () -> Instant
  /// A new random id.
  public var makeID: @Sendable () -> ObjectID
  /// The IANA name of the time zone that new entries are written in.
  public var timeZone: @Sendable () -> String
  /// The costs of passwords, in the order in which they are tried; tests have cheaper ones.
  package var profiles: [Profile] = Profile.table

  /// An environment of its parts.
  public init(
    now: @escaping @Sendable () -> Instant,
    makeID: @escaping @Sendable () -> ObjectID = { ObjectID.make() },
    timeZone: @escaping @Sendable () -> String = { "UTC" }
  ) {
    self.now = now
    self.makeID = makeID
    self.timeZone = timeZone
  }
}
