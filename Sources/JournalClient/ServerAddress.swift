// SPDX-License-Identifier: Apache-2.0

/// Where a server is reached: `https://host[:port][/path]`, or `http://` on this machine alone.
///
/// The URL may change; who the server *is* is its name, pinned with the account.
public struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
  /// The URL without a slash at its end.
  public let url: String

  /// Checks `text`; `nil` for what is no such URL, and for plain HTTP beyond loopback, which would
  /// show the session token to everyone on the way.
  public init?(_ text: String) {
    var text = text[...]
    while text.last == "/" { text = text.dropLast() }
    let lower = text.lowercased()
    let isPlain = lower.hasPrefix("http://")
    guard isPlain || lower.hasPrefix("https://") else { return nil }
    let rest = text.dropFirst(isPlain ? 7 : 8)
    let allowed = rest.utf8.allSatisfy { byte in
      (0x21...0x7E).contains(byte) && !#"?#@\"<>^`{|}"#.utf8.contains(byte)
    }
    let authority = rest.prefix { $0 != "/" }
    guard allowed, let host = Self.host(in: authority) else { return nil }
    guard !isPlain || Self.isLoopback(host) else { return nil }
    url =
      (isPlain ? "http://" : "https://") + authority.lowercased() + rest.dropFirst(authority.count)
  }

  /// The URL.
  public var description: String { url }

  /// The host of `authority`; `nil` where host or port is none.
  private static func host(in authority: Substring) -> Substring? {
    let isBracketed = authority.first == "["
    let end = isBracketed ? authority.firstIndex(of: "]") : authority.lastIndex(of: ":")
    if isBracketed, end == nil { return nil }
    let host =
      isBracketed
      ? authority[...(end ?? authority.startIndex)]
      : authority[..<(end ?? authority.endIndex)]
    let port = authority[host.endIndex...]
    guard !host.isEmpty, isBracketed || !host.contains(":") else { return nil }
    guard port.isEmpty || (port.first == ":" && UInt16(port.dropFirst()) ?? 0 > 0) else {
      return nil
    }
    return host
  }

  private static func isLoopback(_ host: Substring) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host == "[::1]" { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return numbers.count == 4 && numbers[0] == 127 && numbers.allSatisfy { $0 != nil }
  }
}
