// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Base64 (RFC 4648) for opaque bytes in JSON documents.
enum Base64 {
  /// `bytes` in the standard alphabet, padded.
  static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// The bytes of `text`; `nil` where it is not base64.
  static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
