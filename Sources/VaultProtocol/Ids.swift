// SPDX-License-Identifier: Apache-2.0

/// A value of exactly 16 bytes, told apart from other ones by its `Purpose`.
///
/// Held as big-endian numbers: comparing two is comparing their bytes, and none is on the heap. Of
/// 64 bits, since Swift 6.3 crashes where a `UInt128` is among the arguments of an `async` function
/// with typed throws that inherits its caller's isolation.
public struct Bytes16<Purpose>: Hashable, Comparable, Sendable {
  /// Bytes in the value.
  public static var byteCount: Int { 16 }

  private let high: UInt64
  private let low: UInt64

  /// The bytes as a big-endian number.
  public var number: UInt128 { UInt128(high) << 64 | UInt128(low) }

  /// The value whose big-endian bytes are `number`.
  public init(number: UInt128) {
    high = UInt64(truncatingIfNeeded: number >> 64)
    low = UInt64(truncatingIfNeeded: number)
  }

  /// The value made of `bytes`, or nothing when they are not exactly 16.
  public init?(_ bytes: some Collection<UInt8>) {
    self.init(Array(bytes).span)
  }

  /// The value made of `bytes`, or nothing when they are not exactly 16.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    high = bigEndianNumber(bytes, from: 0)
    low = bigEndianNumber(bytes, from: 8)
  }

  /// The 16 bytes.
  public var bytes: [UInt8] { bigEndianBytes(high, low) }

  /// Whether the bytes of `a` come before those of `b`.
  public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// A value of exactly 32 bytes, told apart from other ones by its `Purpose`.
public struct Bytes32<Purpose>: Hashable, Comparable, Sendable {
  /// Bytes in the value.
  public static var byteCount: Int { 32 }

  private let a: UInt64
  private let b: UInt64
  private let c: UInt64
  private let d: UInt64

  /// The value made of `bytes`, or nothing when they are not exactly 32.
  public init?(_ bytes: some Collection<UInt8>) {
    self.init(Array(bytes).span)
  }

  /// The value made of `bytes`, or nothing when they are not exactly 32.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    a = bigEndianNumber(bytes, from: 0)
    b = bigEndianNumber(bytes, from: 8)
    c = bigEndianNumber(bytes, from: 16)
    d = bigEndianNumber(bytes, from: 24)
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { bigEndianBytes(a, b, c, d) }

  /// Whether the bytes of `x` come before those of `y`.
  public static func < (x: Self, y: Self) -> Bool {
    (x.a, x.b, x.c, x.d) < (y.a, y.b, y.c, y.d)
  }
}

extension Bytes16: CustomStringConvertible {
  /// Lower-case hexadecimal, 32 characters.
  public var description: String { Hex.encode(bytes) }
}

extension Bytes32: CustomStringConvertible {
  /// Lower-case hexadecimal, 64 characters.
  public var description: String { Hex.encode(bytes) }
}

/// Names the purposes of ids and hashes; never instantiated.
public enum Purposes {
  /// An account and its vault.
  public enum User {}
  /// A record in a vault.
  public enum Record {}
  /// A commit.
  public enum Commit {}
  /// An installation of a client.
  public enum Device {}
  /// A blob's SHA-512, cut to 32 bytes.
  public enum Blob {}
}

/// An account's id, random, made by the client.
public typealias UserID = Bytes16<Purposes.User>
/// A record's id, random, made by the client.
public typealias RecordID = Bytes16<Purposes.Record>
/// A commit's id, random, made before its first try and the same in every repeat.
public typealias CommitID = Bytes16<Purposes.Commit>
/// A device's id, random, made by the client.
public typealias DeviceID = Bytes16<Purposes.Device>
/// The SHA-512 of a blob, its first 32 bytes.
public typealias BlobHash = Bytes32<Purposes.Blob>

private func bigEndianNumber(_ bytes: Span<UInt8>, from start: Int) -> UInt64 {
  var number: UInt64 = 0
  for index in start..<(start + 8) { number = number << 8 | UInt64(bytes[index]) }
  return number
}

private func bigEndianBytes(_ numbers: UInt64...) -> [UInt8] {
  [UInt8](capacity: 8 * numbers.count) { bytes in
    for number in numbers {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
      }
    }
  }
}
