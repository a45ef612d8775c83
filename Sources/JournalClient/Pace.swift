// SPDX-License-Identifier: Apache-2.0

/// How often and after which pauses something is tried again.
///
/// Pauses double from `first` to `longest`, each multiplied by a random factor of 0.5…1.5, so that
/// many clients that failed together do not come back together.
public struct Pace: Sendable {
  /// Tries in all, at least 1.
  public var tries: Int
  /// The first pause.
  public var first: Duration
  /// The longest pause, a server's `Retry-After` included: what is longer fails instead.
  public var longest: Duration
  private let pause: @Sendable (Duration) async throws -> Void

  /// A pace; `pause` waits, unless a test has better things to do.
  public init(
    tries: Int, first: Duration, longest: Duration,
    pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.tries = max(1, tries)
    self.first = first
    self.longest = longest
    self.pause = pause
  }

  /// A few tries within some seconds: for a person who waits.
  public static let interactive = Pace(tries: 4, first: .milliseconds(250), longest: .seconds(10))

  /// Waits before try number `attempt` (from 2); at least as long as the server asked for.
  ///
  /// - Throws: `CancellationError`.
  func wait(before attempt: Int, atLeast asked: Duration? = nil) async throws {
    var delay = first
    for _ in 2..<max(2, attempt) { delay = min(delay * 2, longest) }
    let jittered = delay * Double.random(in: 0.5...1.5)
    try await pause(max(jittered, (asked ?? .zero) * Double.random(in: 1...1.25)))
  }
}
