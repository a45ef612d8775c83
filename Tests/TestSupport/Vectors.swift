// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file of `keyflow/vectors`: a subject and its cases.
public struct Vectors<Case: Decodable>: Decodable {
  /// The cases, in the file's order.
  public let cases: [Case]

  /// Reads `keyflow/vectors/NAME.json`.
  ///
  /// - Throws: Foundation's errors when the file is not there or not of this form.
  public static func load(_ name: String) throws -> [Case] {
    let file = Repository.vectors.appending(path: name + ".json")
    return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file)).cases
  }
}

/// Bytes that a JSON file holds as hexadecimal digits.
public struct Hex: Decodable, Sendable, CustomStringConvertible {
  /// The bytes.
  public let bytes: [UInt8]

  /// The first bytes, for a test's report.
  public var description: String { [UInt8](bytes.prefix(8)).hex + (bytes.count > 8 ? "…" : "") }

  /// Decodes a string of an even number of digits.
  ///
  /// - Throws: `DecodingError` for another string.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let bytes = [UInt8](hex: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal")
    }
    self.bytes = bytes
  }
}

extension [UInt8] {
  /// The bytes of an even number of hexadecimal digits; nil for another string.
  public init?(hex: String) {
    let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == hex.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
    self = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }

  /// The bytes as lower-case hexadecimal digits.
  public var hex: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
