// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import JournalClient
import Posix

/// `journal import`.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Bring in the entries of a JSON file.",
    discussion: """
      Our own export, a plain array of {id, title, content, createdAt, updatedAt, …}, Day One, jrnl \
      or Standard Notes. The newer state of an entry is shown, the other one goes to its history; \
      importing twice changes nothing. Bad items are named and never stop the rest.
      """)

  @Argument(help: "The file.")
  var file: String

  @Flag(help: "Only say what would happen.")
  var dryRun = false

  @Flag(help: "Leave what was deleted here deleted.")
  var keepDeleted = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw Complaint("\(file) cannot be read", hints: "nothing was changed")
    }
    let opened = try await journal.unlocked(creating: true)
    let bar = progress.bar("importing")
    let report = try opened.importJSON(
      URL(filePath: file),
      options: ImportOptions(
        dryRun: dryRun, revivesDeleted: !keepDeleted,
        minutesFromUTC: (LocalTime(secondsSince1970: LocalTime.now.seconds)?.offset ?? 0) / 60),
      progress: { bar.update($0.done, of: $0.total ?? 0) })
    bar.finish()
    guard report != ImportReport() else {
      throw Complaint("no entries were found in \(file)", hints: "nothing was changed")
    }
    if output.json { return try Terminal.show(json: ImportShape(report)) }
    Terminal.show((dryRun ? "would import: " : "imported: ") + report.words)
    for problem in report.problems { Terminal.note("\(problem.place): \(problem.reason)") }
  }
}

extension ImportReport {
  /// What a person is told of it.
  var words: String {
    let counts = [
      (added, "new"), (updated, "newer than here"), (older, "older than here, to the history"),
      (revived, "deleted here, alive again"), (unchanged, "the same as here"),
      (otherRecords, "other records"), (attachments, "attachments left in the file"),
    ]
    let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
  }
}

/// `journal import --json`.
struct ImportShape: Encodable {
  let added: Int
  let updated: Int
  let older: Int
  let revived: Int
  let unchanged: Int
  let otherRecords: Int
  let attachments: Int
  let problems: [Problem]

  struct Problem: Encodable {
    let place: String
    let reason: String
  }

  init(_ report: ImportReport) {
    added = report.added
    updated = report.updated
    older = report.older
    revived = report.revived
    unchanged = report.unchanged
    otherRecords = report.otherRecords
    attachments = report.attachments
    problems = report.problems.map { Problem(place: $0.place, reason: $0.reason) }
  }
}

/// `journal export`.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the whole journal to a file.",
    discussion: """
      One JSON document, readable by other programs, in a file that only you can read; with \
      --passphrase an encrypted container instead. FILE is replaced, whole or not at all.
      """)

  @Argument(help: "The file, - for standard output (JSON alone).")
  var file: String

  @Flag(help: "Seal the export under a passphrase of its own.")
  var passphrase = false

  @Option(
    help: ArgumentHelp(
      "Read the passphrase from the first line of FILE, - for standard input.", valueName: "file"))
  var passphraseFile: String?

  @OptionGroup var progress: ProgressOptions
  @OptionGroup var journal: JournalOptions

  func run() async throws {
    if file == "-", isSealed {
      throw Complaint.usage("a sealed export needs a file", hint: "name one instead of -")
    }
    let opened = try await journal.unlocked()
    let bar = progress.bar("exporting")
    let update = { (step: JournalClient.Progress) in bar.update(step.done, of: step.total ?? 0) }
    let report: ExportReport
    if isSealed {
      guard passphraseFile != nil || SecretInput.hasTerminal else {
        throw Complaint.nobodyToAsk(flag: "--passphrase-file FILE")
      }
      var source = PasswordOptions()
      source.passwordFile = passphraseFile
      report = try await opened.exportContainer(
        to: URL(filePath: file), passphrase: source.chosen("Passphrase of the export: "),
        progress: update)
    } else if file == "-" {
      report = try opened.exportJSON(progress: { _ in }) { (bytes) throws(JournalError) in
        Terminal.write(bytes.span, to: .output)
      }
    } else {
      report = try opened.exportJSON(to: URL(filePath: file), progress: update)
    }
    bar.finish()
    Terminal.note("exported: \(report.entries.of("entry", "entries")), \(report.bytes) bytes")
    if !report.damaged.isEmpty { throw JournalError.damaged(ids: report.damaged) }
  }

  private var isSealed: Bool { passphrase || passphraseFile != nil }
}
