// SPDX-License-Identifier: Apache-2.0

/// Answers at whole steps of time, so that how long a look-up took does not show.
///
/// Finding an account takes some microseconds more than finding none, which many requests together
/// would tell.
enum EvenTime {
  /// Several times what the first step of a login or a recovery takes.
  static let step = Duration.milliseconds(5)

  /// Waits until a whole number of steps has passed since `begun`.
  ///
  /// - Throws: `CancellationError`.
  static func wait(since begun: ContinuousClock.Instant) async throws {
    let steps = (begun.duration(to: .now) / step).rounded(.down) + 1
    try await Task.sleep(until: begun + step * Int(steps), tolerance: .zero)
  }
}
