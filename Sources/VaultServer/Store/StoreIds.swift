// SPDX-License-Identifier: Apache-2.0
public import VaultProtocol

extension Purposes {
  /// An account name under the server's keyed hash.
  public enum Name {}
  /// A session token's SHA-512, cut to 32 bytes.
  public enum Token {}
  /// A request body's hash.
  public enum Request {}
  /// The state of slots, keyring and recovery key.
  public enum Keyring {}
  /// The deletion certificates of one deletion.
  public enum Certificate {}
}

/// The keyed hash of an account name; the store never sees the name.
public typealias NameKey = Bytes32<Purposes.Name>
/// SHA-512 of a session's token, its first 32 bytes; the store never sees the token.
public typealias TokenHash = Bytes32<Purposes.Token>
/// The hash by which a repeated registration is known.
public typealias RequestHash = Bytes32<Purposes.Request>
/// The `ETag` of slots, keyring and recovery public key together.
public typealias KeyringTag = Bytes32<Purposes.Keyring>
/// The hash over the certificates of one deletion, as the caller defines it.
public typealias CertificateHash = Bytes32<Purposes.Certificate>

/// A session's number, drawn by the server, in the clear part of a bearer token.
public struct SessionID: Hashable, Sendable {
  /// The number; all 64 bits count.
  public let number: UInt64

  /// The session of this number.
  public init(number: UInt64) {
    self.number = number
  }
}

/// A moment, in milliseconds since 1970-01-01 UTC.
///
/// The store reads no clock: every method takes `now`.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01 UTC.
  public let milliseconds: Int64

  /// The moment `milliseconds` after 1970-01-01 UTC.
  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// Whether `a` is earlier than `b`.
  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

  /// The moment `duration` after this one.
  public static func + (a: Self, duration: Duration) -> Self {
    Timestamp(milliseconds: a.milliseconds &+ milliseconds(of: duration))
  }

  /// The moment `duration` before this one.
  public static func - (a: Self, duration: Duration) -> Self {
    Timestamp(milliseconds: a.milliseconds &- milliseconds(of: duration))
  }

  private static func milliseconds(of duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000
  }
}
