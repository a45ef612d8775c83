// SPDX-License-Identifier: Apache-2.0
import Sodium

/// Sixteen bytes that name a user, a record, a device or a named object; ordered as bytes.
///
/// Random where a client makes one, never time-ordered: that would leak writing times.
public struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  /// Bytes in an id.
  public static let count = 16

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  private init(unchecked bytes: [UInt8]) {
    self.init(high: bytes.span.integer(at: 0), low: bytes.span.integer(at: 8))
  }

  /// The id of 16 bytes; `nil` for another length.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    self.init(unchecked: Array(bytes))
  }

  /// A new random id.
  public static func make() -> ObjectID {
    ObjectID(unchecked: randomBytes(count))
  }

  /// An ASCII name of at most 16 bytes, zero-padded.
  private init(name: StaticString) {
    let ascii = Array(name.description.utf8)
    precondition(ascii.count <= Self.count)
    self.init(unchecked: ascii + [UInt8](repeating: 0, count: Self.count - ascii.count))
  }

  /// The slot that the password opens.
  public static let password = ObjectID(name: "password")
  /// The slot that the recovery code opens.
  public static let recovery = ObjectID(name: "recovery")
  /// The slot of one device, never uploaded.
  public static let local = ObjectID(name: "local")
  /// The slot of an export container.
  public static let export = ObjectID(name: "export")
  /// The vault's head.
  public static let head = ObjectID(name: "head")
  /// The older epochs' keys.
  public static let keyring = ObjectID(name: "keyring")
  /// The deletion certificate.
  public static let deletion = ObjectID(name: "deletion")

  /// The 16 bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.count)
    bytes.append(bigEndian: high)
    bytes.append(bigEndian: low)
    return bytes
  }

  /// The first byte, which names a record's bucket in the root.
  var bucket: Int { Int(high >> 56) }

  /// Lower-case hex; ids are not secret.
  public var description: String { hex(bytes) }

  /// The order of the bytes.
  public static func < (a: ObjectID, b: ObjectID) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }
}

/// A hash of 32 bytes: SHA-512, cut to its first half.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// Bytes in a digest.
  public static let count = 32

  /// Thirty-two zero bytes: where there is nothing to point at.
  public static let zero = Digest(unchecked: [UInt8](repeating: 0, count: count))

  /// The digest of 32 bytes; `nil` for another length.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    self.init(unchecked: Array(bytes))
  }

  init(unchecked bytes: [UInt8]) {
    let bytes = bytes.span
    words = (
      bytes.integer(at: 0), bytes.integer(at: 8), bytes.integer(at: 16), bytes.integer(at: 24)
    )
  }

  /// `blobHash`: SHA-512 of the sealed bytes, first 32 bytes.
  public init(ofBlob blob: Span<UInt8>) {
    self.init(unchecked: SHA512.hash32(blob))
  }

  /// SHA-512 of the joined pieces, first 32 bytes.
  init(of pieces: [UInt8]...) {
    var hasher = SHA512()
    for piece in pieces { hasher.update(piece) }
    self.init(unchecked: [UInt8](hasher.finish().prefix(Self.count)))
  }

  /// The 32 bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.count)
    bytes.append(bigEndian: words.0)
    bytes.append(bigEndian: words.1)
    bytes.append(bigEndian: words.2)
    bytes.append(bigEndian: words.3)
    return bytes
  }

  /// Lower-case hex.
  public var description: String { hex(bytes) }

  /// Whether both are the same bytes; hashes are not secret.
  public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

  /// Feeds the bytes to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

private func hex(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
