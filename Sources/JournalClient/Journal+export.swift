// SPDX-License-Identifier: Apache-2.0
public import Foundation
import KeyExchange
public import KeyFlow
public import Sodium

/// What an export wrote.
public struct ExportReport: Equatable, Sendable {
  /// Entries in the export.
  public var entries = 0
  /// Bytes of the export.
  public var bytes = 0
  /// Entries that do not open and so are not in it; their sealed bytes stay in quarantine.
  public var damaged: [ObjectID] = []

  /// A report of nothing.
  public init() {}
}

extension Journal {
  /// Writes all living entries and the other state as one JSON document, oldest entry first, piece
  /// by piece to `write`.
  ///
  /// - Throws: `locked`, and what SQLite or `write` says.
  public func exportJSON(
    progress: (Progress) -> Void = { _ in },
    to write: ([UInt8]) throws(JournalError) -> Void
  ) throws(JournalError) -> ExportReport {
    var report = ExportReport()
    var writer = JSONWriter()
    let state = try state()
    ExportDocument.begin(
      &writer, at: environment.now(),
      fingerprint: state.pin.map { KeyFlow.fingerprint(of: $0, uid: state.uid) })
    let ids = try list(ListQuery(oldestFirst: true)).map(\.id)
    for start in stride(from: 0, to: ids.count, by: 200) {
      let slice = ids[start..<min(start + 200, ids.count)]
      for entry in try entries(slice, &report.damaged) {
        ExportDocument.entry(entry, first: report.entries == 0, to: &writer)
        report.entries += 1
      }
      report.bytes += writer.bytes.count
      try write(writer.take())
      progress(Progress(done: start + slice.count, total: ids.count))
    }
    writer.raw("\n]")
    try writeOthers(to: &writer)
    writer.raw("\n}\n")
    report.bytes += writer.bytes.count
    try write(writer.take())
    return report
  }

  /// Writes the JSON document to a file of mode 0600, whole or not at all.
  ///
  /// - Throws: As the other, and what the file system says.
  public func exportJSON(
    to file: URL, progress: (Progress) -> Void = { _ in }
  ) throws(JournalError) -> ExportReport {
    try writeFile(file) { (handle) throws(JournalError) in
      try exportJSON(progress: progress) { (bytes) throws(JournalError) in
        try handle.append(bytes)
      }
    }
  }

  /// Writes an encrypted container that `passphrase` opens, to a file of mode 0600, whole or not at
  /// all: living records of all kinds, sealed anew under a fresh key.
  ///
  /// Takes as long as Argon2id does, off the cooperative pool.
  ///
  /// - Throws: `badInput` for what is no passphrase, `outOfMemory`, `locked`, and what SQLite and
  ///   the file system say.
  public func exportContainer(
    to file: URL, passphrase: borrowing SecretBytes, profileID: UInt8 = 3,
    progress: (Progress) -> Void = { _ in }
  ) async throws(JournalError) -> ExportReport {
    let salt = randomBytes(16)
    let (stretched, profile) = try await Self.stretchExport(passphrase, profileID, salt)
    let keys = try keys.unlocked()
    let state = try state()
    let catalog = try catalog()
    var living = Array(catalog.others.keys)
    catalog.forEachItem { item, _ in living.append(item.id) }
    living.sort()
    let (sound, damaged) = try openable(living, keys)
    return try writeFile(file) { (handle) throws(JournalError) in
      var report = ExportReport()
      report.damaged = damaged
      let base = state.pin ?? HeadPoint(generation: 0, seq: 0, hash: .zero)
      var writer = ExportWriter(uid: state.uid, base: base)
      var bytes = writer.start(
        records: UInt32(sound.count), profile: profile, salt: salt, stretched: stretched.bytes)
      for (number, (id, rowID)) in sound.enumerated() {
        let stored = try store.read { (store) throws(JournalError) in
          try store.revision(rowID: rowID)
        }
        guard let stored else { throw .busy }
        let record = try stored.sealed.open(with: keys)
        let payload = try record.encode()
        bytes += writer.append(payload.span, id: id, revision: stored.sealed.revision)
        if record.kind == .entry { report.entries += 1 }
        if bytes.count > 1 << 20 {
          report.bytes += bytes.count
          try handle.append(bytes)
          bytes = []
          progress(Progress(done: number + 1, total: sound.count))
        }
      }
      let now = UInt64(clamping: environment.now().milliseconds)
      bytes += writer.finish(device: state.device, time: now)
      report.bytes += bytes.count
      try handle.append(bytes)
      progress(Progress(done: sound.count, total: sound.count))
      return report
    }
  }

  /// What Argon2id makes of an export's passphrase.
  static func stretchExport(
    _ passphrase: borrowing SecretBytes, _ profileID: UInt8, _ salt: [UInt8]
  ) async throws(JournalError) -> (Plaintext, UInt8) {
    guard let profile = Profile(id: profileID) else { throw .badInput("an unknown profile") }
    let input: PasswordInput
    do {
      input = try PasswordInput(exportPassphrase: passphrase)
    } catch {
      throw .badInput("this cannot be a passphrase")
    }
    let stretched = try await Keys.stretch { () throws(JournalError) -> Plaintext in
      do {
        return Plaintext(try input.stretch(profile, salt: salt))
      } catch {
        throw .outOfMemory(kibibytes: profile.cost.memoryKiB)
      }
    }
    return (stretched, profile.id)
  }

  private func entries(
    _ ids: ArraySlice<ObjectID>, _ damaged: inout [ObjectID]
  ) throws(JournalError) -> [Entry] {
    let keys = try keys.unlocked()
    var bad: [ObjectID] = []
    let entries = try store.read { (store) throws(JournalError) in
      var entries: [Entry] = []
      for id in ids {
        guard let current = try store.current(id) else { continue }
        if let entry = (try? current.sealed.open(with: keys)).flatMap({ Entry($0) }) {
          if entry.deletedAt == nil { entries.append(entry) }
        } else {
          bad.append(id)
        }
      }
      return entries
    }
    damaged += bad
    return entries
  }

  /// Which of the shown revisions of `ids` open.
  private func openable(
    _ ids: [ObjectID], _ keys: UnlockedKeys
  ) throws(JournalError) -> (sound: [(ObjectID, Int64)], damaged: [ObjectID]) {
    try store.read { (store) throws(JournalError) in
      var sound: [(ObjectID, Int64)] = []
      var damaged: [ObjectID] = []
      for id in ids {
        guard let current = try store.current(id) else { continue }
        if (try? current.sealed.open(with: keys)) != nil {
          sound.append((id, current.rowID))
        } else {
          damaged.append(id)
        }
      }
      return (sound, damaged)
    }
  }

  /// Writes a file under a name of its own and gives it the right one when it is whole and durable.
  private func writeFile<R>(
    _ file: URL, _ body: (FileHandle) throws(JournalError) -> R
  ) throws(JournalError) -> R {
    let folder = Home(file.deletingLastPathComponent())
    let draft = file.appendingPathExtension("partial")
    let handle = try folder.makeFile(draft)
    do throws(JournalError) {
      let result = try body(handle)
      try folder.finish(handle)
      try? FileManager.default.removeItem(at: file)
      do {
        try FileManager.default.moveItem(at: draft, to: file)
        try folder.synchronizeFolder()
      } catch {
        throw JournalError.file(error)
      }
      return result
    } catch {
      try? FileManager.default.removeItem(at: draft)
      throw error
    }
  }
}

extension FileHandle {
  fileprivate func append(_ bytes: [UInt8]) throws(JournalError) {
    do {
      try write(contentsOf: Data(bytes))
    } catch {
      throw .file(error)
    }
  }
}
