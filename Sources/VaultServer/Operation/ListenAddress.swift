// SPDX-License-Identifier: Apache-2.0

/// Where to listen: `HOST:PORT`, an IPv6 host in brackets; port 0 takes a free one.
public struct ListenAddress: Sendable, Equatable {
  /// A name or address of this machine.
  public let host: String
  /// The port; 0 for a free one.
  public let port: Int

  /// The address that `text` names, or nothing where it names none.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    self.host = String(host)
    self.port = Int(port)
  }

  /// Whether only this machine can reach it.
  public var isLoopback: Bool {
    let bytes = host.split(separator: ".", omittingEmptySubsequences: false)
    let isFour = bytes.count == 4 && bytes.allSatisfy { UInt8($0) != nil }
    return host == "localhost" || host == "::1" || (isFour && bytes.first == "127")
  }

  /// The host as a URL has it.
  var urlHost: String { host.contains(":") ? "[\(host)]" : host }
}
