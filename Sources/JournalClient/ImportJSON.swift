// SPDX-License-Identifier: Apache-2.0
import KeyFlow

/// Reads entries out of JSON: our own document, a plain array, Day One's, jrnl's, Standard Notes'.
///
/// Each entry is told by its own members, which may come in any order, as may those of the document.
/// What only the document's format decides is kept until that is known.
struct ImportJSON {
  private let minutesFromUTC: Int
  private var count = 0
  /// Whether the document says that it is ours, so that its ids are record ids; `nil` before it
  /// said anything.
  private var isOurs: Bool?
  private var statedVersion: Double?
  /// Entries that came before the format.
  private var undecided: [(value: JSONValue, place: String)] = []
  /// Called with each record of another kind in our own document.
  private let other: (String, JSONValue) -> Void

  init(minutesFromUTC: Int, other: @escaping (String, JSONValue) -> Void) {
    self.minutesFromUTC = minutesFromUTC
    self.other = other
  }

  /// The newest version of our own document that is read.
  private static let version = 1

  /// Reads the whole document; every item it holds goes to `importer`.
  mutating func read(
    _ reader: inout JSONReader, into importer: inout Importer
  ) throws(JournalError) {
    var failure: JournalError?
    do throws(JSONError) {
      if reader.next() == UInt8(ascii: "[") {
        isOurs = false
        try entries(&reader, &importer, &failure)
      } else {
        try reader.object { (name, reader) throws(JSONError) in
          switch name {
          case "entries", "items": try entries(&reader, &importer, &failure)
          case "format": isOurs = try reader.value() == .string(ExportDocument.format)
          case "version": statedVersion = try reader.value().double
          case "audioPreferences", "recentlyPlayed", "queueState": other(name, try reader.value())
          default: _ = try reader.value()
          }
          if isTooNew { throw JSONError(offset: reader.offset) }
        }
      }
      if reader.next() != nil { throw JSONError(offset: reader.offset) }
    } catch {
      if isTooNew { throw .tooNew }
      if let failure = failure ?? reader.failure { throw failure }
      importer.fail("byte \(error.offset)", "not JSON from here on; what came before was taken")
    }
    for (value, place) in undecided { try take(value, at: place, &importer) }
  }

  /// Whether a newer version of this program wrote the document; known before any of its entries
  /// is taken, unless it names its version after them.
  private var isTooNew: Bool { isOurs == true && (statedVersion ?? 0) > Double(Self.version) }

  private mutating func entries(
    _ reader: inout JSONReader, _ importer: inout Importer, _ failure: inout JournalError?
  ) throws(JSONError) {
    try reader.array { (reader) throws(JSONError) in
      let value = try reader.value()
      count += 1
      let place = "entry \(count)"
      guard isOurs != nil || Self.tellsItsFormat(value) else {
        undecided.append((value, place))
        return
      }
      do throws(JournalError) {
        try take(value, at: place, &importer)
      } catch {
        failure = error
        throw JSONError(offset: reader.offset)
      }
    }
  }

  /// Hands an entry over, or names it where it is none.
  private func take(
    _ value: JSONValue, at place: String, _ importer: inout Importer
  ) throws(JournalError) {
    switch item(value, at: place) {
    case .success(let item):
      if let item { try importer.add(item) }
    case .failure(let problem): importer.fail(problem.place, problem.reason)
    }
  }

  /// Whether an entry is another program's, whatever the document says.
  private static func tellsItsFormat(_ value: JSONValue) -> Bool {
    value["content_type"] != nil || value["creationDate"] != nil
      || (value["body"] != nil && value["date"] != nil)
  }

  /// The item that `value` holds; nothing where it is of a kind that is none of ours.
  private func item(_ value: JSONValue, at place: String) -> Result<ImportItem?, ItemProblem> {
    guard case .object = value else {
      return .failure(ItemProblem(place: place, reason: "not an object"))
    }
    if value["content_type"] != nil { return standardNote(value, at: place) }
    if value["creationDate"] != nil { return dayOne(value, at: place) }
    if value["body"] != nil, value["date"] != nil { return jrnl(value, at: place) }
    return plain(value, at: place)
  }

  // MARK: Our own, and a plain array

  private func plain(_ value: JSONValue, at place: String) -> Result<ImportItem?, ItemProblem> {
    var item = ImportItem(place: place)
    if let id = value["id"] {
      switch id {
      case .string(let text): item.sourceID = text
      case .number(let text): item.sourceID = text
      default: return .failure(ItemProblem(place: place, reason: "its id is no text"))
      }
    }
    if isOurs == true {
      item.recordID = ObjectID(hex: item.sourceID)
      item.sourceID = value["sourceId"]?.string ?? ""
      item.conflictOf = value["conflictOf"]?.string.flatMap { ObjectID(hex: $0) }
      guard item.recordID != nil else {
        return .failure(ItemProblem(place: place, reason: "its id is not 32 hexadecimal digits"))
      }
    }
    item.title = value["title"]?.string ?? ""
    guard let content = value["content"] ?? value["text"], let text = content.string else {
      return .failure(ItemProblem(place: place, reason: "it has no content"))
    }
    item.content = text
    for (name, path) in [("createdAt", \ImportItem.createdAt), ("updatedAt", \.updatedAt)]
      as [(String, WritableKeyPath<ImportItem, Instant?> & Sendable)]
    {
      guard let date = value[name] else { continue }
      guard let instant = instant(date) else {
        return .failure(ItemProblem(place: place, reason: "its \(name) is no date"))
      }
      item[keyPath: path] = instant
    }
    if let tags = value["tags"]?.array { item.tags = tags.compactMap(\.string) }
    item.timeZone = value["timeZone"]?.string
    if isOurs == true, let source = value["source"]?.string {
      item.source = Base64.decode(source) ?? []
    } else {
      item.source = rest(
        of: value,
        but: ["id", "title", "content", "text", "createdAt", "updatedAt", "tags", "timeZone"])
    }
    return .success(item)
  }

  // MARK: Day One

  private func dayOne(_ value: JSONValue, at place: String) -> Result<ImportItem?, ItemProblem> {
    var item = ImportItem(place: place)
    item.sourceID = value["uuid"]?.string ?? ""
    guard let created = value["creationDate"].flatMap(instant) else {
      return .failure(ItemProblem(place: place, reason: "its creationDate is no date"))
    }
    item.createdAt = created
    item.updatedAt = value["modifiedDate"].flatMap(instant) ?? created
    item.timeZone = value["timeZone"]?.string
    item.tags = value["tags"]?.array?.compactMap(\.string) ?? []
    let text = Markdown.unescaped(value["text"]?.string ?? "")
    (item.title, item.content) = Markdown.splitHeading(text)
    for name in ["photos", "videos", "audios", "pdfAttachments"] {
      item.attachments += value[name]?.array?.count ?? 0
    }
    item.source = rest(
      of: value, but: ["uuid", "creationDate", "modifiedDate", "timeZone", "tags", "text"])
    return .success(item)
  }

  // MARK: jrnl

  private func jrnl(_ value: JSONValue, at place: String) -> Result<ImportItem?, ItemProblem> {
    var item = ImportItem(place: place)
    item.sourceID = value["uuid"]?.string ?? ""
    let date = value["date"]?.string ?? ""
    let time = value["time"]?.string ?? "00:00"
    guard let local = Instant(iso8601: "\(date)T\(time)") else {
      return .failure(ItemProblem(place: place, reason: "its date is no date"))
    }
    item.createdAt = Instant(milliseconds: local.milliseconds - Int64(minutesFromUTC) * 60_000)
    item.title = value["title"]?.string ?? ""
    item.content = value["body"]?.string ?? ""
    item.tags = (value["tags"]?.array ?? []).compactMap(\.string).map { tag in
      String(tag.drop { $0 == "@" || $0 == "#" })
    }
    item.source = rest(of: value, but: ["uuid", "date", "time", "title", "body", "tags"])
    return .success(item)
  }

  // MARK: Standard Notes, decrypted

  private func standardNote(
    _ value: JSONValue, at place: String
  ) -> Result<ImportItem?, ItemProblem> {
    guard value["content_type"]?.string == "Note" else { return .success(nil) }
    guard let content = value["content"], case .object = content else {
      return .failure(
        ItemProblem(place: place, reason: "it is encrypted; export a decrypted backup"))
    }
    if content["trashed"]?.bool == true {
      return .failure(ItemProblem(place: place, reason: "it was in the trash"))
    }
    var item = ImportItem(place: place)
    item.sourceID = value["uuid"]?.string ?? ""
    item.title = content["title"]?.string ?? ""
    item.content = content["text"]?.string ?? ""
    item.createdAt = value["created_at"].flatMap(instant)
    let edited = content["appData"]?["org.standardnotes.sn"]?["client_updated_at"]
    item.updatedAt = (edited ?? value["updated_at"]).flatMap(instant)
    item.source = rest(of: value, but: ["uuid", "content_type", "created_at"])
    return .success(item)
  }

  // MARK: Pieces

  /// An ISO 8601 text, or milliseconds since 1970; a date without an offset is the importer's own.
  private func instant(_ value: JSONValue) -> Instant? {
    if let text = value.string { return Instant(iso8601: text) }
    guard let number = value.double, number.magnitude < 1e15 else { return nil }
    return Instant(milliseconds: Int64(number))
  }

  /// The members that this program does not read, as JSON; empty where there are none.
  private func rest(of value: JSONValue, but read: Set<String>) -> [UInt8] {
    guard case .object(let members) = value else { return [] }
    let kept = members.filter { !read.contains($0.name) }
    guard !kept.isEmpty else { return [] }
    var writer = JSONWriter()
    writer.value(.object(kept))
    // Of what would not fit an entry, the text alone is kept.
    return writer.bytes.count <= 256 << 10 ? writer.bytes : []
  }
}

/// Why an item cannot be taken.
struct ItemProblem: Error {
  let place: String
  let reason: String
}
