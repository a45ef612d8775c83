// SPDX-License-Identifier: Apache-2.0
public import Foundation
import KeyFlow
public import Sodium

extension Journal {
  /// The largest container that is read: it is verified as a whole before anything is taken.
  private static let largestContainer = 4 << 30
  private static let notWhole = JournalError.badInput(
    "the file is no whole export container: records were dropped, changed or added")

  /// Brings an encrypted container in; merges as ``importJSON(_:options:progress:)`` does, and loses
  /// no field.
  ///
  /// Takes as long as Argon2id does, off the cooperative pool.
  ///
  /// - Throws: `wrongPassword` where the passphrase opens none of its slots, `badInput` where records
  ///   were dropped, changed or added, `locked`, and what SQLite and the file system say.
  public func importContainer(
    _ file: URL, passphrase: borrowing SecretBytes, options: ImportOptions = ImportOptions(),
    progress: @escaping (Progress) -> Void = { _ in }
  ) async throws(JournalError) -> ImportReport {
    guard let bytes = try home.read(file, limit: Self.largestContainer) else {
      throw .badInput("there is no such file")
    }
    let container: ExportContainer
    do {
      container = try ExportContainer(bytes)
    } catch {
      throw Self.notWhole
    }
    for (slot, entry) in container.slots.enumerated() {
      let (stretched, _) = try await Self.stretchExport(passphrase, entry.profile, entry.salt)
      let opened: OpenedExport
      do {
        opened = try container.open(slot: slot, stretched: stretched.bytes)
      } catch .incomplete {
        throw Self.notWhole
      } catch {
        continue
      }
      return try bringIn(container, opened, options, progress)
    }
    throw .wrongPassword
  }

  private func bringIn(
    _ container: ExportContainer, _ opened: borrowing OpenedExport, _ options: ImportOptions,
    _ progress: @escaping (Progress) -> Void
  ) throws(JournalError) -> ImportReport {
    var importer = try Importer(self, options, progress)
    var others: [Record] = []
    for (row, sealed) in zip(opened.rows, container.records) {
      let record: Record
      do {
        let payload = try opened.payload(of: row, in: sealed.blob)
        record = try Record(
          id: row.id, decoding: payload.withBytes { $0.copy(0..<$0.count) ?? [] })
      } catch {
        importer.fail(row.id.description, "it does not open")
        continue
      }
      guard record.deletedAt == nil else { continue }
      guard let entry = Entry(record) else {
        others.append(record)
        continue
      }
      try importer.add(
        ImportItem(
          place: row.id.description, recordID: row.id, createdAt: entry.createdAt,
          updatedAt: entry.updatedAt, entry: entry))
    }
    try importer.flush()
    var report = importer.report
    guard !options.dryRun else { return report }
    for record in others where try bringIn(record) { report.otherRecords += 1 }
    _ = try? catalog()
    return report
  }

  /// Brings a record of another kind in, merged by its kind's rule; of one without a rule, what is
  /// here stays.
  private func bringIn(_ record: Record) throws(JournalError) -> Bool {
    let keys = try keys.unlocked()
    return try store.write { (store) throws(JournalError) in
      let current = try store.current(record.id)
      let mine = current.flatMap { try? $0.sealed.open(with: keys) }
      var content = record.content
      if let mine, mine.deletedAt == nil {
        guard mine.kind == record.kind,
          let merged = KindMerge.merge(mine.kind, mine: mine.content, theirs: content)
        else { return false }
        content = merged
      }
      _ = try put(
        id: record.id, kind: record.kind, content: content, deletedAt: nil, store, keys)
      return true
    }
  }
}
