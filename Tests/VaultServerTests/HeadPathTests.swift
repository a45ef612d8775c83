// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import VaultServer

/// A way of `keyflow/vectors/path.json`, which clients check theirs against too.
struct HeadWay: Decodable {
  let name: String
  let first: UInt64
  let last: UInt64
  let path: [UInt64]

  static func all() throws -> [HeadWay] { try Vectors<HeadWay>.load("path") }
}

@Suite struct HeadPathTests {
  /// The seqs that a head links to: the one before, and the newest earlier multiple of each 4^k.
  private func links(of seq: UInt64) -> [UInt64] {
    let skips = (1...12).map { level in (0..<level).reduce(UInt64(1)) { four, _ in four * 4 } }
      .map { (seq - 1) / $0 * $0 }
    return ([seq - 1] + skips).filter { $0 >= 1 }
  }

  struct PathCase: Decodable, Sendable {
    let name: String
    let first, last: UInt64
    let path: [UInt64]
  }

  @Test(arguments: try Vectors<PathCase>.load("path"))
  func `the way is the one that the vectors give`(_ vector: PathCase) {
    #expect(HeadPath.seqs(from: vector.first, to: vector.last) == vector.path)
  }

  @Test func `no way from any pin to any head is shorter`() throws {
    for pin: UInt64 in 1...150 {
      // Links on the shortest way down to the pin, by trying all of them.
      var distance: [UInt64: Int] = [pin: 0]
      for newest in (pin + 1)...300 {
        let best = links(of: newest).compactMap { distance[$0] }.min()
        distance[newest] = try #require(best) + 1
        let path = HeadPath.seqs(from: pin, to: newest)
        #expect(path.count - 1 == distance[newest], "\(pin) to \(newest)")
      }
    }
  }

  @Test func `the ways are those of the vectors`() throws {
    let ways = try HeadWay.all()
    #expect(!ways.isEmpty)
    for way in ways {
      #expect(HeadPath.seqs(from: way.first, to: way.last) == way.path, "\(way.name)")
    }
  }

  @Test func `every head on the way links to the one before`() {
    for (pin, newest): (UInt64, UInt64) in [
      (1, 150), (1, 1 << 24), (12_345, 9_876_543), (5, 1_048_577),
    ] {
      let path = HeadPath.seqs(from: pin, to: newest)
      #expect(path.first == pin)
      #expect(path.last == newest)
      for (older, newer) in zip(path, path.dropFirst()) {
        #expect(links(of: newer).contains(older))
      }
    }
  }

  @Test func `a way over millions of heads is short`() {
    #expect(HeadPath.seqs(from: 1, to: 1 << 26).count <= 3 * 2 * 13)
  }

  @Test(arguments: [(0, 7), (7, 7), (8, 7), (.max, 7)] as [(UInt64, UInt64)])
  func `a pin that is not below gives the newest head alone`(pin: UInt64, newest: UInt64) {
    #expect(HeadPath.seqs(from: pin, to: newest) == [newest])
  }
}
