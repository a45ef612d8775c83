// SPDX-License-Identifier: Apache-2.0
private import Dispatch
private import Synchronization

/// Where the few calls of libpq run that may block: looking up a name, asking to cancel.
///
/// Never a statement. On threads of their own, since those of the cooperative pool are as few
/// as the processor's cores.
enum Blocking {
  private static let queue = DispatchQueue(label: "postgres.blocking", attributes: .concurrent)

  /// Runs `work` there and awaits what it gives.
  static func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: work()) }
    }
  }

  /// Runs `work` there; false when it has not come to its end within `limit`, which it may later.
  static func run(within limit: Duration, _ work: @escaping @Sendable () -> Void) async -> Bool {
    await withCheckedContinuation { continuation in
      let race = Race(continuation)
      queue.async {
        work()
        race.end(true)
      }
      let (seconds, attoseconds) = limit.components
      let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
      queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { race.end(false) }
    }
  }

  /// A continuation that the first of two resumes.
  private final class Race: Sendable {
    private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

    init(_ continuation: CheckedContinuation<Bool, Never>) {
      self.continuation = Mutex(continuation)
    }

    func end(_ result: Bool) {
      let first = continuation.withLock { continuation in
        defer { continuation = nil }
        return continuation
      }
      first?.resume(returning: result)
    }
  }
}
