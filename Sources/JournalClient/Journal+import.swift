// SPDX-License-Identifier: Apache-2.0
public import Foundation
import KeyFlow

extension Journal {
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
