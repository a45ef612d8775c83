// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Makes what is needed, outside the measurement, and gives what is measured.
typealias Prepared = () async throws -> () async throws -> Void

/// Seconds of both, one after the other, `count` times after one that does not count.
func pairs(ours: Prepared, bare: Prepared, count: Int = 7) async throws
  -> [(ours: Double, bare: Double)]
{
  var pairs: [(ours: Double, bare: Double)] = []
  for _ in 0...count {
    let mine = try await ours()
    let theirs = try await bare()
    pairs.append((try await seconds(mine), try await seconds(theirs)))
  }
  return Array(pairs.dropFirst())
}

/// Seconds of 50 runs, after one that does not count.
func times(_ body: () async throws -> Void) async throws -> [Double] {
  try await body()
  var times: [Double] = []
  for _ in 0..<50 { times.append(try await seconds(body)) }
  return times.sorted()
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
  let time = try await ContinuousClock().measure(body)
  return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
}

/// Prints one row; `each` is how many operations one measurement holds.
func report(
  _ name: String, _ pairs: [(ours: Double, bare: Double)], each: Int = 1, target: String
) {
  let ratios = pairs.map { $0.ours / $0.bare }.sorted()
  let ours = pairs.map(\.ours).sorted()[pairs.count / 2] * 1_000 / Double(each)
  let bare = pairs.map(\.bare).sorted()[pairs.count / 2] * 1_000 / Double(each)
  // At once, not when a buffer is full.
  let line =
    "{\"row\": \"\(name)\", \"ms\": \(ours), \"limit_ms\": \(bare), "
    + "\"ratio\": \(ratios[ratios.count / 2]), \"ratio_min\": \(ratios[0]), "
    + "\"ratio_max\": \(ratios[ratios.count - 1]), \"target\": \"\(target)\"}\n"
  FileHandle.standardOutput.write(Data(line.utf8))
}

/// Runs `body` on a thread of its own: the bare libraries block.
func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
  }
}
