// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium

/// Whether comparing secrets takes time that depends on them (after Reparaz, Balasch, Verbauwhede,
/// "Dude, is my code constant time?", 2017): two classes of input in random order, Welch's t of
/// what they took without the slowest tenth.
///
/// A comparison that stops at the first difference must be told apart, ours must not. Both inputs are
/// wrong: whether they are is told anyway.
@main
struct Program {
  static let samples = 20_000
  static let rounds = 3
  /// Beyond it a difference is no chance any more; Reparaz and others take 4.5 to 10.
  static let limit = 6.0

  static func main() {
    var generator = SystemRandomNumberGenerator()
    let ours = { (a: Span<UInt8>, b: Span<UInt8>) in constantTimeEqual(a, b) }
    var failures = 0
    for size in [32, 64] {
      let secret = randomBytes(size)
      let cases = [
        ("first or last byte wrong", secret.changed(at: 0), secret.changed(at: size - 1)),
        ("all bytes or the last wrong", secret.map { ~$0 }, secret.changed(at: size - 1)),
      ]
      for (name, one, other) in cases {
        let control = (1...rounds).map { _ in
          statistic(secret, one, other, naiveEqual, &generator)
        }
        failures += report(
          "control: a naive comparison of \(size) bytes, \(name), is told apart", control,
          control.allSatisfy { $0 > limit })
        let measured = (1...rounds).map { _ in statistic(secret, one, other, ours, &generator) }
        // A leak shows every time; a disturbance of the machine does not.
        failures += report(
          "constantTimeEqual of \(size) bytes, \(name), is not", measured,
          !measured.allSatisfy { $0 > limit })
      }
    }
    exit(failures == 0 ? 0 : 1)
  }

  /// Stops at the first difference: what a comparison of secrets must not do.
  static func naiveEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    for index in a.indices where a[index] != b[index] { return false }
    return true
  }

  /// |t| of the times that `compare` takes for the two inputs.
  static func statistic(
    _ secret: [UInt8], _ one: [UInt8], _ other: [UInt8],
    _ compare: (Span<UInt8>, Span<UInt8>) -> Bool,
    _ generator: inout SystemRandomNumberGenerator
  ) -> Double {
    var times: [[Double]] = [[], []]
    // One place for both classes: where bytes lie must make no difference.
    var input = one
    let clock = ContinuousClock()
    var seen = 0
    for _ in 0..<samples {
      let choice = Int.random(in: 0...1, using: &generator)
      for index in input.indices { input[index] = choice == 0 ? one[index] : other[index] }
      let left = secret.span
      let right = input.span
      let time = clock.measure {
        for _ in 0..<32 where compare(left, right) { seen += 1 }
      }
      times[choice].append(Double(time.components.attoseconds) / 1e9)
    }
    return abs(welch(fastest(times[0]), fastest(times[1])))
  }

  /// Without the slowest tenth: interrupts, other programs.
  static func fastest(_ times: [Double]) -> ArraySlice<Double> {
    times.sorted().prefix(times.count * 9 / 10)
  }

  /// Welch's t of two samples.
  static func welch(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
    func mean(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
    func error(_ values: ArraySlice<Double>, _ mean: Double) -> Double {
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return squares / Double(values.count - 1) / Double(values.count)
    }
    let (first, second) = (mean(a), mean(b))
    return (first - second) / (error(a, first) + error(b, second)).squareRoot()
  }

  static func report(_ claim: String, _ statistics: [Double], _ holds: Bool) -> Int {
    let numbers = statistics.map { String(Double(Int($0 * 10)) / 10) }.joined(separator: ", ")
    print("  \(holds ? "ok  " : "FAIL") \(claim) (|t| \(numbers))")
    return holds ? 0 : 1
  }
}

extension [UInt8] {
  fileprivate func changed(at index: Int) -> [UInt8] {
    var copy = self
    copy[index] ^= 0xFF
    return copy
  }
}
