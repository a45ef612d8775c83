// SPDX-License-Identifier: Apache-2.0
public import Foundation
import KeyFlow

extension Journal {
  /// Brings the entries of a file or folder in, whatever the format: JSON of any kind that
  /// ``importJSON(_:options:progress:)`` reads, jrnl's text, a markdown file, a folder of markdown
  /// files with front matter, or Joplin's raw export.
  ///
  /// - Throws: `badInput` for an archive or an encrypted container, and as
  ///   ``importJSON(_:options:progress:)``.
  public func importFile(
    _ file: URL, options: ImportOptions = ImportOptions(),
    progress: @escaping (Progress) -> Void = { _ in }
  ) throws(JournalError) -> ImportReport {
    let isFolder = (try? file.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
    if isFolder {
      return try bringIn(options, progress) { (importer) throws(JournalError) in
        var folder = ImportFolder(minutesFromUTC: options.minutesFromUTC)
        try folder.read(file, into: &importer)
      }
    }
    let beginning = String(decoding: try home.beginning(of: file, 64), as: UTF8.self)
    if beginning.hasPrefix("PK\u{3}\u{4}") {
      throw .badInput("this is a zip archive: unpack it and import the JSON file or folder in it")
    }
    if beginning.hasPrefix("KFX1") {
      throw .badInput("this is an encrypted export: give its passphrase")
    }
    let isMarkdown = ["md", "markdown"].contains(file.pathExtension.lowercased())
    if isMarkdown {
      return try bringIn(options, progress) { (importer) throws(JournalError) in
        let folder = ImportFolder(minutesFromUTC: options.minutesFromUTC)
        try folder.read(file: file, into: &importer)
      }
    }
    // "[2020-…" is jrnl's, "[{" and "[ {" are JSON's.
    let isDate = beginning.hasPrefix("[") && beginning.dropFirst().first?.isNumber == true
    guard isDate else { return try importJSON(file, options: options, progress: progress) }
    guard let bytes = try home.read(file, limit: 256 << 20) else { throw .badInput("no such file") }
    return try bringIn(options, progress) { (importer) throws(JournalError) in
      let text = String(decoding: bytes, as: UTF8.self)
      for item in ImportJrnl.items(text, minutesFromUTC: options.minutesFromUTC) {
        try importer.add(item)
      }
    }
  }

  private func bringIn(
    _ options: ImportOptions, _ progress: @escaping (Progress) -> Void,
    _ read: (inout Importer) throws(JournalError) -> Void
  ) throws(JournalError) -> ImportReport {
    var importer = try Importer(self, options, progress)
    try read(&importer)
    try importer.flush()
    // For the next list or search; its absence is no error.
    if !options.dryRun { _ = try? catalog() }
    return importer.report
  }

  /// Brings the entries of a JSON file in: our own document, a plain array of
  /// `{id, title, content, createdAt, updatedAt, …}`, Day One's, jrnl's or Standard Notes' JSON.
  ///
  /// Importing twice changes nothing. The newer state of an entry is shown, the other one lies in
  /// its history. Bad items are named in the report and never stop the rest.
  ///
  /// - Throws: `locked`, `diskFull`, `tooNew`, and what the file system says; what was reported to
  ///   `progress` before is imported, and the file can be imported again.
  public func importJSON(
    _ file: URL, options: ImportOptions = ImportOptions(),
    progress: @escaping (Progress) -> Void = { _ in }
  ) throws(JournalError) -> ImportReport {
    let handle: FileHandle
    do {
      handle = try FileHandle(forReadingFrom: file)
    } catch {
      throw .file(error)
    }
    defer { try? handle.close() }
    return try importJSON(options: options, progress: progress) { () throws(JournalError) in
      do {
        return [UInt8](try handle.read(upToCount: 1 << 18) ?? Data())
      } catch {
        throw .file(error)
      }
    }
  }

  /// As the other, from pieces of a document until an empty one.
  ///
  /// - Throws: As the other, and what `more` throws.
  public func importJSON(
    options: ImportOptions = ImportOptions(), progress: @escaping (Progress) -> Void = { _ in },
    from more: @escaping () throws(JournalError) -> [UInt8]
  ) throws(JournalError) -> ImportReport {
    var importer = try Importer(self, options, progress)
    var others: [(String, JSONValue)] = []
    var document = ImportJSON(minutesFromUTC: options.minutesFromUTC) { others.append(($0, $1)) }
    var reader = JSONReader(more)
    try document.read(&reader, into: &importer)
    try importer.flush()
    var report = importer.report
    if !options.dryRun {
      for (name, value) in others where try bringIn(name, value) { report.otherRecords += 1 }
      // For the next list or search; its absence is no error.
      _ = try? catalog()
    }
    return report
  }
}
