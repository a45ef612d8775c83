// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import VaultProtocol
import VaultServer

extension Data {
  /// Random bytes.
  static func random(_ count: Int) -> Data {
    var data = Data(capacity: count + 8)
    while data.count < count {
      let word = UInt64.random(in: 0 ... .max)
      data.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) })
    }
    return data.prefix(count)
  }

  /// A blob whose header names an epoch (SPEC §6).
  static func sealed(epoch: UInt32, _ count: Int) -> Data {
    Data("KFB1\u{1}\u{1}\0\0".utf8) + bigEndian(epoch) + random(count - 12)
  }

  /// A blob of the smallest size, or another.
  static func blob(_ count: Int = 612) -> Data { random(count) }
}

extension Bytes16 {
  static func random() -> Self { Self(number: .random(in: 0 ... .max)) }
}

extension Bytes32 {
  static func random() -> Self {
    guard let value = Self(Data.random(32)) else { preconditionFailure("32 bytes are 32 bytes") }
    return value
  }
}

extension BlobHash {
  /// The first 32 bytes of the blob's SHA-512, by the library's own function.
  static func of(_ blob: Data) -> Self {
    guard let hash = Self(SHA512.hash32(blob.span)) else { preconditionFailure("32 bytes") }
    return hash
  }
}

extension SessionID {
  static func random() -> Self { Self(number: .random(in: 0 ... .max)) }
}
