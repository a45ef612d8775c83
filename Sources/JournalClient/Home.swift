// SPDX-License-Identifier: Apache-2.0
public import Foundation
import Sodium

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The one folder (0700) that holds a device's journal; its files are 0600.
public struct Home: Sendable, Equatable {
  /// The folder.
  public let folder: URL

  /// The home in `folder`, which need not exist yet.
  public init(_ folder: URL) {
    self.folder = folder
  }

  /// `$JOURNAL_HOME`, else the platform's data folder (`$XDG_DATA_HOME/journal`, else
  /// `~/.local/share/journal`).
  public init(environment: [String: String]) {
    if let home = environment["JOURNAL_HOME"], !home.isEmpty {
      self.init(URL(filePath: home))
    } else if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
      self.init(URL(filePath: data).appending(path: "journal"))
    } else {
      self.init(URL(filePath: NSHomeDirectory()).appending(path: ".local/share/journal"))
    }
  }

  /// The local store.
  public var database: URL { folder.appending(path: "journal.sqlite") }
  /// The vault key before encryption is on, `KeyFile`; absent after.
  public var keyFile: URL { folder.appending(path: "vault.key") }
  /// This device's slot once encryption is on.
  public var slotFile: URL { folder.appending(path: "vault.slot") }
  /// The next slot, while a password change or a rotation is under way; after a crash it may be the
  /// only one that opens the journal, so see ``LocalSlot`` before it is written or removed.
  public var newSlotFile: URL { folder.appending(path: "vault.slot.new") }
  /// Locked by the one process that syncs.
  public var syncLock: URL { folder.appending(path: "sync.lock") }

  /// Makes the folder, 0700, where it does not exist.
  func make() throws(JournalError) {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .file(error)
    }
  }

  /// An open, empty file of mode 0600 at `url`, whatever stood there before.
  func makeFile(_ url: URL) throws(JournalError) -> FileHandle {
    do {
      try? FileManager.default.removeItem(at: url)
      guard
        FileManager.default.createFile(
          atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
      else { throw CocoaError(.fileWriteUnknown) }
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
      return try FileHandle(forWritingTo: url)
    } catch {
      throw .file(error)
    }
  }

  /// Makes what was written to `handle`, and its name in the folder, survive a power cut.
  func finish(_ handle: FileHandle) throws(JournalError) {
    do {
      try handle.synchronize()
      try handle.close()
      try synchronizeFolder()
    } catch {
      throw .file(error)
    }
  }

  /// Writes `bytes`, which are sealed or public, as a durable file of mode 0600.
  func write(_ bytes: [UInt8], to url: URL) throws(JournalError) {
    try replace(url, with: Data(bytes))
  }

  /// Puts `content` in the place of the file at `url`, durably: a crash or a full disk leaves the
  /// one that was there, whole.
  private func replace(_ url: URL, with content: Data) throws(JournalError) {
    do {
      try content.write(to: url, options: .atomic)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
      let handle = try FileHandle(forUpdating: url)
      try handle.synchronize()
      try handle.close()
      try synchronizeFolder()
    } catch {
      throw .file(error)
    }
  }

  /// Gives the file `new` the name `present`, durably; nothing happens where somebody just did.
  ///
  /// A crash at any point leaves it whole, under the one name or the other.
  func adopt(_ new: URL, as present: URL) throws(JournalError) {
    do {
      try SecretFile.move(new.path, over: present.path)
    } catch .absent {
      return
    } catch {
      throw .secret(error)
    }
  }

  /// Whether there is a file at `url`.
  func has(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Removes `url`, where there is such a file; survives a power cut.
  func remove(_ url: URL) throws(JournalError) {
    guard has(url) else { return }
    do {
      try FileManager.default.removeItem(at: url)
      try synchronizeFolder()
    } catch {
      throw .file(error)
    }
  }

  /// The bytes of a file that has at most `limit` of them; `nil` where there is none.
  func read(_ url: URL, limit: Int) throws(JournalError) -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      let data = try handle.read(upToCount: limit + 1) ?? Data()
      guard data.count <= limit else { throw CocoaError(.fileReadTooLarge) }
      return [UInt8](data)
    } catch {
      throw .file(error)
    }
  }

  /// At most the first `count` bytes of a file.
  func beginning(of file: URL, _ count: Int) throws(JournalError) -> [UInt8] {
    do {
      let handle = try FileHandle(forReadingFrom: file)
      defer { try? handle.close() }
      return [UInt8](try handle.read(upToCount: count) ?? Data())
    } catch {
      throw .file(error)
    }
  }

  /// Makes the names in the folder survive a power cut.
  func synchronizeFolder() throws {
    let handle = try FileHandle(forReadingFrom: folder)
    defer { try? handle.close() }
    _ = fsync(handle.fileDescriptor)
  }
}

extension JournalError {
  /// What an error of the file system means to us.
  static func file(_ error: any Error) -> JournalError {
    let error = error as NSError
    let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
    if underlying.domain == NSPOSIXErrorDomain {
      let code = Int32(underlying.code)
      if [ENOSPC, EDQUOT, EFBIG].contains(code) { return .diskFull }
      return .storage(code: underlying.code)
    }
    if error.code == CocoaError.fileWriteOutOfSpace.rawValue { return .diskFull }
    return .storage(code: error.code)
  }
}
