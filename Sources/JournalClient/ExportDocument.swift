// SPDX-License-Identifier: Apache-2.0
import KeyFlow

/// Our own export: one JSON document, `{format, version, exportedAt, entries, …}`, that others can
/// read and that comes in again without loss.
///
/// An entry is `{id, title, content, createdAt, updatedAt, tags, timeZone, sourceId, source}`; ids
/// are 32 hexadecimal digits, dates ISO 8601 in UTC, `source` is base64; empty members are left
/// out, but for title and content.
enum ExportDocument {
  static let format = "journal-vault"
  static let version = 1

  static func begin(_ writer: inout JSONWriter, at time: Instant, fingerprint: String?) {
    writer.raw("{\n")
    writer.member("format", format, first: true)
    writer.raw(", \"version\": \(version)")
    writer.member("exportedAt", time.iso8601)
    if let fingerprint { writer.member("fingerprint", fingerprint) }
    writer.raw(",\n\"entries\": [")
  }

  static func entry(_ entry: Entry, first: Bool, to writer: inout JSONWriter) {
    writer.raw(first ? "\n{" : ",\n{")
    writer.member("id", entry.id.description, first: true)
    writer.member("title", entry.title)
    writer.member("content", entry.content)
    writer.member("createdAt", entry.createdAt.iso8601)
    writer.member("updatedAt", entry.updatedAt.iso8601)
    if !entry.tags.isEmpty {
      writer.raw(", \"tags\": ")
      writer.value(.array(entry.tags.map { .string($0) }))
    }
    if !entry.timeZone.isEmpty { writer.member("timeZone", entry.timeZone) }
    if !entry.sourceID.isEmpty { writer.member("sourceId", entry.sourceID) }
    if !entry.source.isEmpty { writer.member("source", Base64.encode(entry.source)) }
    if let original = entry.conflictOf { writer.member("conflictOf", original.description) }
    writer.raw("}")
  }
}
