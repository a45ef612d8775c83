// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import JournalClient
import KeyFlow
import Posix

/// Whether a command prints for people or for programs.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON; its members are listed in docs/json.md and stay.")
  var json = false
}

/// Whether long work is shown.
struct ProgressOptions: ParsableArguments {
  @Flag(help: "Show no progress.")
  var noProgress = false

  func bar(_ label: String) -> ProgressBar { ProgressBar(label, hidden: noProgress) }
}

extension Terminal {
  /// Prints `value` as JSON: members in alphabetical order, one document.
  static func show(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    write(text + "\n", to: .output)
  }
}

/// An entry in full.
struct EntryShape: Encodable {
  let id: String
  let title: String
  let content: String
  let createdAt: String
  let updatedAt: String
  let tags: [String]
  let timeZone: String
  let conflictOf: String?

  init(_ entry: Entry) {
    id = entry.id.description
    title = entry.title
    content = entry.content
    createdAt = entry.createdAt.iso8601
    updatedAt = entry.updatedAt.iso8601
    tags = entry.tags
    timeZone = entry.timeZone
    conflictOf = entry.conflictOf?.description
  }
}
