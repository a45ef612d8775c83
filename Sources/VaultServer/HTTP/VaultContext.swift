// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
public import Hummingbird

/// What belongs to one request beside the request itself.
public struct VaultContext: RequestContext {
  /// Hummingbird's own part: route template, path parameters.
  public var coreContext: CoreRequestContextStorage
  private let peer: String?

  /// The context of a request on the source's channel.
  public init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    peer = source.channel.remoteAddress?.ipAddress
  }

  /// The client's address as rate limits see it: of IPv6 the /64 that one customer has.
  ///
  /// Behind a proxy it is the last entry of `X-Forwarded-For`, which that proxy wrote.
  func address(of request: Request, behindProxy: Bool) -> String {
    let forwarded = behindProxy ? HTTPField.Name("X-Forwarded-For") : nil
    let last = forwarded.flatMap { request.headers[values: $0].last }?
      .split(separator: ",").last?.filter { !$0.isWhitespace }
    let address = String((last ?? peer ?? "unknown").prefix(45))
    guard address.contains(":"), !address.contains(".") else { return address }
    return prefix64(address)
  }

  /// The first four groups of an IPv6 address.
  private func prefix64(_ address: String) -> String {
    let halves = address.components(separatedBy: "::")
    let front = (halves.first ?? "").split(separator: ":")
    guard front.count < 4, let back = halves.dropFirst().first?.split(separator: ":") else {
      return front.prefix(4).joined(separator: ":")
    }
    let zeros = [Substring](repeating: "0", count: max(0, 8 - front.count - back.count))
    return (front + zeros + back).prefix(4).joined(separator: ":")
  }
}
