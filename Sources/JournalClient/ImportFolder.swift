// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads a folder of markdown files, with front matter or without, and Joplin's raw export.
struct ImportFolder {
  private static let largestFile = 8 << 20
  private static let mostFiles = 1_000_000

  private let minutesFromUTC: Int
  /// Joplin: the titles of tags, and which notes have which.
  private var tagTitles: [String: String] = [:]
  private var noteTags: [String: [String]] = [:]

  init(minutesFromUTC: Int) {
    self.minutesFromUTC = minutesFromUTC
  }

  /// Reads every markdown file below `folder`, in the order of their names; links are not followed.
  mutating func read(_ folder: URL, into importer: inout Importer) throws(JournalError) {
    let files = Self.files(below: folder)
    // Joplin's tags stand in files of their own, which may come after the notes.
    for file in files { noteTag(file) }
    for file in files {
      let place = String(file.path.dropFirst(folder.path.count).drop { $0 == "/" })
      guard let text = Self.text(file) else {
        importer.fail(place, "it cannot be read as text of at most 8 MiB")
        continue
      }
      if let joplin = JoplinItem(text) {
        guard joplin.type == 1 else { continue }
        if joplin["encryption_applied"] == "1" {
          importer.fail(place, "it is encrypted; export it decrypted")
        } else {
          try importer.add(item(of: joplin, at: place))
        }
      } else {
        try importer.add(item(of: text, file, at: place))
      }
    }
  }

  /// Reads one markdown file.
  func read(file: URL, into importer: inout Importer) throws(JournalError) {
    let place = file.lastPathComponent
    guard let text = Self.text(file) else {
      return importer.fail(place, "it cannot be read as text of at most 8 MiB")
    }
    try importer.add(item(of: text, file, at: place))
  }

  private mutating func noteTag(_ file: URL) {
    guard file.lastPathComponent.count == 35, let text = Self.text(file),
      let joplin = JoplinItem(text)
    else { return }
    if joplin.type == 5, let id = joplin["id"] { tagTitles[id] = joplin.title }
    if joplin.type == 6, let note = joplin["note_id"], let tag = joplin["tag_id"] {
      noteTags[note, default: []].append(tag)
    }
  }

  private func item(of joplin: JoplinItem, at place: String) -> ImportItem {
    var item = ImportItem(place: place)
    item.sourceID = joplin["id"] ?? ""
    item.title = joplin.title
    item.content = joplin.body
    item.createdAt = (joplin["user_created_time"] ?? joplin["created_time"])
      .flatMap { Instant(iso8601: $0) }
    item.updatedAt = (joplin["user_updated_time"] ?? joplin["updated_time"])
      .flatMap { Instant(iso8601: $0) }
    item.tags = (noteTags[item.sourceID] ?? []).compactMap { tagTitles[$0] }
    item.source = Array(joplin.raw.utf8)
    item.attachments = joplin.body.components(separatedBy: "](:/").count - 1
    return item
  }

  private func item(of text: String, _ file: URL, at place: String) -> ImportItem {
    let front = FrontMatter(text)
    var item = ImportItem(place: place)
    item.sourceID = front.first("id", "uuid") ?? "file:" + place
    item.title = front.first("title") ?? ""
    item.content = front.body
    if item.title.isEmpty { (item.title, item.content) = Markdown.splitHeading(front.body) }
    let name = file.deletingPathExtension().lastPathComponent
    if item.title.isEmpty { item.title = name }
    item.createdAt =
      date(front.first("created", "date", "created_at", "createdat"))
      // A daily note is named for its day.
      ?? date(String(name.prefix(10)))
      ?? modified(file)
    item.updatedAt =
      date(front.first("updated", "lastmod", "updated_at", "modified")) ?? item.createdAt
    item.tags = front.all("tags", "keywords")
    item.source = Array(front.raw.utf8.prefix(64 << 10))
    return item
  }

  /// A date; one that names no offset is the importer's own.
  private func date(_ text: String?) -> Instant? {
    guard let text, let instant = Instant(iso8601: text) else { return nil }
    let time = text.dropFirst(10)
    let hasOffset = time.contains { "Zz+-".contains($0) }
    guard !time.isEmpty, !hasOffset else { return instant }
    return Instant(milliseconds: instant.milliseconds - Int64(minutesFromUTC) * 60_000)
  }

  private func modified(_ file: URL) -> Instant? {
    let values = try? file.resourceValues(forKeys: [.contentModificationDateKey])
    return values?.contentModificationDate.map {
      Instant(milliseconds: Int64($0.timeIntervalSince1970 * 1000))
    }
  }

  private static func files(below folder: URL) -> [URL] {
    let keys: [URLResourceKey] = [.isRegularFileKey, .isSymbolicLinkKey]
    let all = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: keys, options: [.skipsHiddenFiles])
    var files: [URL] = []
    while let file = all?.nextObject() as? URL, files.count < mostFiles {
      guard ["md", "markdown"].contains(file.pathExtension.lowercased()),
        let values = try? file.resourceValues(forKeys: Set(keys)),
        values.isRegularFile == true, values.isSymbolicLink != true
      else { continue }
      files.append(file)
    }
    return files.sorted { $0.path < $1.path }
  }

  private static func text(_ file: URL) -> String? {
    guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
    defer { try? handle.close() }
    guard let data = try? handle.read(upToCount: largestFile + 1), data.count <= largestFile else {
      return (try? handle.offset()) == 0 ? "" : nil
    }
    return String(data: data, encoding: .utf8)
  }
}

/// One file of Joplin's raw export: title, blank line, body, blank line, `key: value` lines.
struct JoplinItem {
  let title: String
  let body: String
  /// The properties as they stand.
  let raw: String
  private var properties: [String: String] = [:]

  /// Reads a file from its end; `nil` where it is not Joplin's.
  init?(_ text: String) {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    let end = (lines.lastIndex { !$0.isEmpty } ?? -1) + 1
    var start = end
    while start > 0, let colon = lines[start - 1].firstIndex(of: ":") {
      let key = lines[start - 1][..<colon]
      guard !key.isEmpty, key.allSatisfy({ $0.isLowercase || $0 == "_" }) else { break }
      let value = lines[start - 1][lines[start - 1].index(after: colon)...]
      properties[String(key)] = String(value.drop { $0 == " " })
      start -= 1
    }
    guard properties["type_"].flatMap({ Int($0) }) != nil, properties["id"]?.count == 32 else {
      return nil
    }
    raw = lines[start..<end].joined(separator: "\n")
    let content = lines[..<start]
    title = content.first.map(String.init) ?? ""
    var text = content.dropFirst()
    if text.first == "" { text = text.dropFirst() }
    if text.last == "" { text = text.dropLast() }
    body = text.joined(separator: "\n")
  }

  subscript(key: String) -> String? {
    properties[key].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// 1 note, 2 folder, 4 resource, 5 tag, 6 note_tag.
  var type: Int { properties["type_"].flatMap { Int($0) } ?? 0 }
}
