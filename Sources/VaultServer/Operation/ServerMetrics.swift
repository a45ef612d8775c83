// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Counts what the server does, in the terms of Prometheus; nothing in it is about a user.
public final class ServerMetrics: Sendable {
  private struct Series: Hashable {
    let route: RouteLabel
    let status: Int
  }

  private struct Counts {
    var requests = 0
    var seconds = 0.0
    /// How many took at most each of ``ServerMetrics/bounds``.
    var within = [Int](repeating: 0, count: ServerMetrics.bounds.count)
  }

  private static let bounds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60]
  private let series = Mutex<[Series: Counts]>([:])
  private let waiting = Mutex(0)

  /// Nothing counted yet.
  public init() {}

  /// Counts an answered request.
  func count(_ route: RouteLabel, status: Int, duration: Duration) {
    let seconds = duration / .seconds(1)
    series.withLock { series in
      var counts = series[Series(route: route, status: status)] ?? Counts()
      counts.requests += 1
      counts.seconds += seconds
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound {
        counts.within[index] += 1
      }
      series[Series(route: route, status: status)] = counts
    }
  }

  /// Counts a request that waits for a change, while `body` runs.
  func countWaiting<R>(_ body: () async throws -> R) async rethrows -> R {
    waiting.withLock { $0 += 1 }
    defer { waiting.withLock { $0 -= 1 } }
    return try await body()
  }

  /// Prometheus's text format, version 0.0.4.
  public var text: String {
    var lines = [
      "# TYPE vaultd_waiting_requests gauge",
      "vaultd_waiting_requests \(waiting.withLock { $0 })",
      "# TYPE vaultd_request_seconds histogram",
    ]
    for (key, counts) in series.withLock({ $0 }) {
      let labels =
        #"method="\#(key.route.method)",route="\#(key.route.path)",status="\#(key.status)""#
      for (index, bound) in Self.bounds.enumerated() {
        lines.append(
          #"vaultd_request_seconds_bucket{\#(labels),le="\#(bound)"} \#(counts.within[index])"#)
      }
      lines.append(#"vaultd_request_seconds_bucket{\#(labels),le="+Inf"} \#(counts.requests)"#)
      lines.append("vaultd_request_seconds_sum{\(labels)} \(counts.seconds)")
      lines.append("vaultd_request_seconds_count{\(labels)} \(counts.requests)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
