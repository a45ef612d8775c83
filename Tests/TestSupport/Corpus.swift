// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The inputs kept in Tests/Corpus, each a file under the name of what it is.
public enum Corpus {
  /// One input.
  public struct Input: Sendable {
    /// What it is.
    public let name: String
    /// Its bytes.
    public let bytes: [UInt8]
  }

  /// All inputs of one kind, by name.
  ///
  /// - Throws: ``MissingVectors`` where there is none.
  public static func inputs(_ kind: String) throws -> [Input] {
    let folder = Repository.root.appending(path: "Tests/Corpus/\(kind)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    guard !names.isEmpty else { throw MissingVectors(path: kind) }
    return try names.map {
      Input(name: $0, bytes: Array(try Data(contentsOf: folder.appending(path: $0))))
    }
  }
}

extension SeededGenerator {
  /// `bytes` with one to four of them changed, and at times cut or longer.
  public mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
      bytes[Int.random(in: bytes.indices, using: &self)] = self.bytes(1)[0]
    }
    switch next() % 6 {
    case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &self))
    case 1: bytes += self.bytes(Int.random(in: 1...40, using: &self))
    default: break
    }
    return bytes
  }
}
