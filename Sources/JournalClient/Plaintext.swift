// SPDX-License-Identifier: Apache-2.0
import Sodium

/// Opened bytes that several owners share; wiped when the last one lets go.
final class Plaintext: Sendable {
  let bytes: SecretBytes

  init(_ bytes: consuming SecretBytes) {
    self.bytes = bytes
  }

  convenience init(copying bytes: [UInt8]) {
    self.init(SecretBytes(copying: bytes.span, in: .heap))
  }

  static let empty = Plaintext(copying: [])

  var count: Int { bytes.count }
}
