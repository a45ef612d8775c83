// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import VaultProtocol

/// A strong entity tag (RFC 9110 §8.8.3) that is a hash in hex.
enum EntityTag {
  /// The header's value for `hash`.
  static func value<Purpose>(_ hash: Bytes32<Purpose>) -> String { "\"\(hash)\"" }

  /// The one hash that `If-Match` demands.
  ///
  /// - Throws: ``Problem/malformed`` where the header is missing or is not one such tag.
  static func required<Purpose>(
    by request: Request, as _: Bytes32<Purpose>.Type = Bytes32<Purpose>.self
  ) throws(ProblemResponse) -> Bytes32<Purpose> {
    guard let text = request.headers[.ifMatch], text.count == 66, text.hasPrefix("\""),
      text.hasSuffix("\""), let bytes = Hex.decode(text.dropFirst().dropLast()),
      let hash = Bytes32<Purpose>(bytes)
    else { throw ProblemResponse(.malformed) }
    return hash
  }

  /// Whether `If-None-Match` names `hash`: the client has this already.
  static func isKnown<Purpose>(_ hash: Bytes32<Purpose>, to request: Request) -> Bool {
    guard let header = request.headers[.ifNoneMatch] else { return false }
    let value = value(hash)
    return header.split(separator: ",").contains { tag in
      let tag = tag.filter { !$0.isWhitespace }
      return tag == "*" || tag == value || tag == "W/" + value
    }
  }
}
