// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import Hummingbird
import SwiftProtobuf
import VaultProtocol

/// The two forms of a body: protobuf's binary form and its JSON mapping.
enum WireFormat {
  case protobuf
  case json

  /// Messages in one body: more than the 1,000 records of a commit need, and few enough that their
  /// objects take no memory to speak of.
  private static let messages = 1_100

  /// The format of a request's body.
  ///
  /// - Throws: ``Problem/unsupportedMediaType``, for an encoded body too: nothing is compressed,
  ///   either way.
  init(contentOf request: Request) throws(ProblemResponse) {
    guard request.headers[.contentEncoding] == nil,
      let format = request.headers[.contentType].flatMap({ Self.named(in: $0[...]) })
    else { throw ProblemResponse(.unsupportedMediaType) }
    self = format
  }

  /// The format that `Accept` names with the greatest weight; where it names neither, the one that
  /// the request came in; else protobuf.
  init(acceptedBy request: Request) {
    var best: (format: WireFormat, weight: Double)?
    for item in (request.headers[.accept] ?? "").split(separator: ",") {
      guard let format = Self.named(in: item) else { continue }
      let parameters = item.split(separator: ";").dropFirst()
      let weight = parameters.lazy.map { $0.trimmingPrefix(while: \.isWhitespace) }
        .first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
      if weight ?? 1 > best?.weight ?? 0 { best = (format, weight ?? 1) }
    }
    let content = request.headers[.contentType].flatMap { Self.named(in: $0[...]) }
    self = best?.format ?? content ?? .protobuf
  }

  private static func named(in item: Substring) -> WireFormat? {
    let name = item.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
    return switch name {
    case MediaType.protobuf: .protobuf
    case MediaType.json: .json
    default: nil
    }
  }

  /// The media type.
  var mediaType: String {
    switch self {
    case .protobuf: MediaType.protobuf
    case .json: MediaType.json
    }
  }

  /// The message in `body`.
  ///
  /// - Throws: ``Problem/tooLarge`` for more messages than any request has;
  ///   ``Problem/malformed``.
  func decode<M: Message>(_ body: Data) throws(ProblemResponse) -> M {
    let inner = (M.self as? any HoldsCommit.Type)?.commitField
    guard messageCount(body, inner: inner) <= Self.messages else {
      throw ProblemResponse(.tooLarge)
    }
    do {
      switch self {
      case .protobuf:
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 8
        return try M(serializedBytes: body, options: options)
      case .json:
        var options = JSONDecodingOptions()
        options.messageDepthLimit = 8
        return try M(jsonUTF8Bytes: body, options: options)
      }
    } catch {
      // The decoder's own words could quote the body.
      throw ProblemResponse(.malformed)
    }
  }

  /// The body of `message`; nothing when it cannot be written.
  func encode(_ message: some Message) -> [UInt8]? {
    switch self {
    case .protobuf: try? message.serializedBytes()
    case .json: try? message.jsonUTF8Bytes()
    }
  }

  /// At least as many as the body's messages, told without building them: two bytes of a hostile
  /// body would else become a hundred in memory.
  private func messageCount(_ body: Data, inner: UInt64?) -> Int {
    switch self {
    case .json:
      body.count { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }
    case .protobuf:
      fields(body, inner: inner)
    }
  }

  /// The fields at the top of a protobuf body and within its field `inner`; of one that is none, as
  /// far as it can be read.
  private func fields(_ body: Data, inner: UInt64? = nil) -> Int {
    var rest = body[...]
    var fields = 0
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard let byte = rest.popFirst() else { return nil }
        value |= UInt64(byte & 0x7F) << shift
        if byte & 0x80 == 0 { return value }
      }
      return nil
    }
    while let tag = varint() {
      fields += 1
      let skipped: UInt64?
      switch tag & 7 {
      case 0: skipped = varint() == nil ? nil : 0
      case 1: skipped = 8
      case 2: skipped = varint()
      case 5: skipped = 4
      default: skipped = nil
      }
      guard let skipped, skipped <= UInt64(rest.count) else { break }
      if tag & 7 == 2, tag >> 3 == inner { fields += self.fields(rest.prefix(Int(skipped))) }
      rest = rest.dropFirst(Int(skipped))
    }
    return fields
  }
}

/// A message with a commit within, whose records are repeated messages in their turn.
private protocol HoldsCommit {
  /// The commit's field number.
  static var commitField: UInt64 { get }
}

extension WireAccountCreate: HoldsCommit {
  static var commitField: UInt64 { 8 }
}

extension WireKeyringPut: HoldsCommit {
  static var commitField: UInt64 { 5 }
}

extension WireCredentialsPut: HoldsCommit {
  static var commitField: UInt64 { 6 }
}
