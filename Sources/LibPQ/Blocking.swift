// SPDX-License-Identifier: Apache-2.0
private import Dispatch

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
}
