// SPDX-License-Identifier: Apache-2.0
internal import Sodium

extension SecretBytes {
  /// A copy that goes into a message: whoever calls this says that these bytes are sent.
  borrowing func sent() -> [UInt8] {
    withBytes { bytes in bytes.indices.map { bytes[$0] } }
  }

  /// Whether these are `bytes`, compared in constant time.
  borrowing func equals(_ bytes: [UInt8]) -> Bool {
    withBytes { constantTimeEqual($0, bytes.span) }
  }
}
