// SPDX-License-Identifier: Apache-2.0
import Posix
import Synchronization

/// Long work, shown while it lasts.
///
/// A bar on a terminal, a line now and then in a pipe, nothing with `--no-progress`. Goes to
/// standard error, so that output stays output.
final class ProgressBar: Sendable {
  private struct State {
    var shown = -1
    var time = ContinuousClock.now
    var open = false
  }
  private let label: String
  private let hidden: Bool
  private let state = Mutex(State())

  init(_ label: String, hidden: Bool) {
    self.label = label
    self.hidden = hidden
  }

  /// Shows that `done` of `total` are done, unless it showed something a moment ago: what is over at
  /// once shows nothing.
  func update(_ done: Int, of total: Int) {
    guard !hidden, total > 0 else { return }
    let isTerminal = StandardStream.errors.isTerminal
    let now = ContinuousClock.now
    state.withLock { state in
      let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(2)
      let isLast = done >= total && state.shown >= 0
      guard done != state.shown, isLast || state.time.duration(to: now) >= pause else { return }
      state.shown = done
      state.time = now
      if isTerminal {
        state.open = done < total
        Terminal.write("\r" + bar(done, of: total) + (done < total ? "" : "\n"), to: .errors)
      } else {
        Terminal.note("\(label): \(done) of \(total)")
      }
    }
  }

  /// Ends the line of a bar that did not reach its end.
  func finish() {
    state.withLock { state in
      if state.open { Terminal.write("\n", to: .errors) }
      state.open = false
    }
  }

  private func bar(_ done: Int, of total: Int) -> String {
    let numbers = " \(done)/\(total)"
    let room = max(8, min(40, StandardStream.errors.columns - label.count - numbers.count - 4))
    let filled = room * done / total
    return "\(label) " + String(repeating: "━", count: filled)
      + String(repeating: "─", count: room - filled) + numbers
  }
}
