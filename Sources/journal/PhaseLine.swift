// SPDX-License-Identifier: Apache-2.0
import JournalClient
import Synchronization

/// One progress bar after another, as the phases of a sync come.
final class PhaseLine: Sendable {
  private struct State {
    var phase: SyncProgress.Phase?
    var bar: ProgressBar?
  }
  private let hidden: Bool
  private let state = Mutex(State())

  init(hidden: Bool) {
    self.hidden = hidden
  }

  /// Shows a step.
  func show(_ progress: SyncProgress) {
    state.withLock { state in
      if state.phase != progress.phase {
        state.bar?.finish()
        state.phase = progress.phase
        state.bar = ProgressBar(progress.phase.words, hidden: hidden)
      }
      state.bar?.update(progress.done, of: progress.total)
    }
  }
}
