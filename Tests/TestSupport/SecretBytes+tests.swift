// SPDX-License-Identifier: Apache-2.0
import Sodium

extension SecretBytes {
  /// A test's known "secret".
  public init(_ bytes: [UInt8]) {
    self.init(copying: bytes.span, in: .heap)
  }

  /// A test's known "secret", from text.
  public init(_ text: String) {
    self.init(Array(text.utf8))
  }

  /// The bytes, to be compared with what a test expects.
  public borrowing func array() -> [UInt8] {
    withBytes { bytes in bytes.indices.map { bytes[$0] } }
  }
}
