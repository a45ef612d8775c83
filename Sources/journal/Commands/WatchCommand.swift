// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient

/// `journal watch`.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Sync all the time, until Ctrl-C.",
    discussion: """
      What is written here goes at once, what is written elsewhere comes at once. It keeps the key \
      as long as it runs; "journal lock" ends it.
      """)

  @OptionGroup var journal: JournalOptions

  func run() async throws {
    let opened = try journal.open()
    guard try opened.isSealed else { throw JournalError.encryptionOff }
    try journal.agent.endWhenLocked()
    try await journal.unlock(opened)
    for try await event in SyncEngine(opened).events() {
      switch event {
      case .synced(let report): Terminal.show("\(Instant.now.shown)  \(report.words)")
      case .waiting(let error): Terminal.note("\(Instant.now.shown)  \(Complaint(error).what)")
      }
    }
  }
}
