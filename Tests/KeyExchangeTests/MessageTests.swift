// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

/// The parsers of the six messages, on bytes that no honest side wrote.
@Suite struct MessageTests {
  /// A message's length, where its group elements lie, and its parser.
  struct Kind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let count: Int
    let elements: [Int]
    let reparse: @Sendable ([UInt8]) throws(KeyExchangeError) -> [UInt8]
  }

  static let kinds = [
    Kind(testDescription: "registration request", count: 32, elements: [0]) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.RegistrationRequest(bytes: bytes).bytes
    },
    Kind(testDescription: "registration response", count: 64, elements: [0, 32]) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.RegistrationResponse(bytes: bytes).bytes
    },
    Kind(testDescription: "registration record", count: 192, elements: [0]) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.RegistrationRecord(bytes: bytes).bytes
    },
    Kind(testDescription: "KE1", count: 96, elements: [0, 64]) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.KE1(bytes: bytes).bytes
    },
    Kind(testDescription: "KE2", count: 320, elements: [0, 224]) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.KE2(bytes: bytes).bytes
    },
    Kind(testDescription: "KE3", count: 64, elements: []) {
      (bytes) throws(KeyExchangeError) in try OPAQUE.KE3(bytes: bytes).bytes
    },
  ]

  /// Bytes of the right length with an element wherever one is due.
  private static func valid(_ kind: Kind, from generator: inout SeededGenerator) throws -> [UInt8] {
    var bytes = generator.bytes(kind.count)
    for position in kind.elements {
      let element = try Ristretto255.Element(uniform: generator.bytes(64))
      bytes.replaceSubrange(position..<position + 32, with: element.bytes)
    }
    return bytes
  }

  @Test(arguments: kinds)
  func `a message is written as it was read`(kind: Kind) throws {
    var generator = SeededGenerator(for: "messages")
    let bytes = try Self.valid(kind, from: &generator)
    #expect(try kind.reparse(bytes) == bytes)
  }

  @Test(arguments: kinds)
  func `another length is refused`(kind: Kind) throws {
    var generator = SeededGenerator(for: "lengths")
    let bytes = try Self.valid(kind, from: &generator) + generator.bytes(40)
    for count in 0...bytes.count where count != kind.count {
      #expect(throws: KeyExchangeError.malformed) { try kind.reparse(Array(bytes.prefix(count))) }
    }
  }

  @Test(arguments: kinds)
  func `C4: a bad point is refused in every place`(kind: Kind) throws {
    var generator = SeededGenerator(for: "points")
    let bytes = try Self.valid(kind, from: &generator)
    for point in try Self.badPoints() {
      for position in kind.elements {
        var bad = bytes
        bad.replaceSubrange(position..<position + 32, with: point)
        #expect(throws: KeyExchangeError.malformed, "\(point.hex) at \(position)") {
          try kind.reparse(bad)
        }
      }
    }
  }

  /// RFC 9496 A.2, the identity, the generator with bit 255 set, and more.
  private static func badPoints() throws -> [[UInt8]] {
    struct Point: Decodable {
      let encoding: Hex
      let error: String?
    }
    let points = try Vectors<Point>.load("rfc/ristretto-invalid") + Vectors<Point>.load("points")
    let bad = points.filter { $0.error != nil && $0.encoding.bytes.count == 32 }
    try #require(bad.count >= 33)
    return bad.map(\.encoding.bytes)
  }

  @Test func `no input makes a parser do anything but throw or give back the input`() throws {
    var generator = SeededGenerator(for: "fuzz")
    for round in 0..<10_000 {
      let kind = Self.kinds[round % Self.kinds.count]
      var bytes: [UInt8]
      if Bool.random(using: &generator) {
        bytes = generator.bytes(Int.random(in: 0...400, using: &generator))
      } else {
        bytes = try Self.valid(kind, from: &generator)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: bytes.indices, using: &generator)] = generator.bytes(1)[0]
        }
      }
      do {
        let again = try kind.reparse(bytes)
        if again != bytes { Issue.record("\(kind.testDescription): \(bytes.hex)") }
      } catch {
        if error != .malformed { Issue.record("\(kind.testDescription): \(bytes.hex)") }
      }
    }
  }
}
