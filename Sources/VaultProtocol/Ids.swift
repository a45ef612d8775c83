// SPDX-License-Identifier: Apache-2.0

/// A value of exactly 16 bytes, told apart from other ones by its `Purpose`.
///
/// Held as one big-endian number: comparing two is comparing their bytes, and none is on the heap.
public struct Bytes16<Purpose>: Hashable, Comparable, Sendable {
  /// Bytes in the value.
  public static var byteCount: Int { 16 }

  /// The bytes as a big-endian number.
  public let number: UInt128

  /// The value whose big-endian bytes are `number`.
  public init(number: UInt128) {
    self.number = number
  }

  /// The value made of `bytes`, or nothing when they are not exactly 16.
  public init?(_ bytes: some Collection<UInt8>) {
    self.init(Array(bytes).span)
  }

  /// The value made of `bytes`, or nothing when they are not exactly 16.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    number = bigEndianNumber(bytes, from: 0)
  }

  /// The 16 bytes.
  public var bytes: [UInt8] { bigEndianBytes(number) }

  /// Whether the bytes of `a` come before those of `b`.
  public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// A value of exactly 32 bytes, told apart from other ones by its `Purpose`.
public struct Bytes32<Purpose>: Hashable, Comparable, Sendable {
  /// Bytes in the value.
  public static var byteCount: Int { 32 }

  private let high: UInt128
  private let low: UInt128

  /// The value made of `bytes`, or nothing when they are not exactly 32.
  public init?(_ bytes: some Collection<UInt8>) {
    self.init(Array(bytes).span)
  }

  /// The value made of `bytes`, or nothing when they are not exactly 32.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    high = bigEndianNumber(bytes, from: 0)
    low = bigEndianNumber(bytes, from: 16)
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { bigEndianBytes(high) + bigEndianBytes(low) }

  /// Whether the bytes of `a` come before those of `b`.
  public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
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

private func bigEndianNumber(_ bytes: Span<UInt8>, from start: Int) -> UInt128 {
  var high: UInt64 = 0
  var low: UInt64 = 0
  for index in start..<(start + 8) { high = high << 8 | UInt64(bytes[index]) }
  for index in (start + 8)..<(start + 16) { low = low << 8 | UInt64(bytes[index]) }
  return UInt128(high) << 64 | UInt128(low)
}

private func bigEndianBytes(_ number: UInt128) -> [UInt8] {
  (0..<16).map { UInt8(truncatingIfNeeded: number >> (8 * (15 - $0))) }
}
