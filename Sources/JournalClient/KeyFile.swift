// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import Sodium

/// The vault key in a 0600 file, while encryption is off: `"KFP1" ‖ u32 epoch ‖ VK 32`, 40 bytes.
///
/// It lets one code path seal everything from the first entry on; it protects nothing from whoever
/// reads the folder, and is overwritten and removed when encryption is on.
enum KeyFile {
  private static let magic = Array("KFP1".utf8)
  private static let count = 40

  /// Writes `key` as a durable file.
  static func write(_ key: borrowing VaultKey, in home: Home) throws(JournalError) {
    let bytes = SecretBytes(count: count) { out in
      let epoch = (0..<4).map { UInt8(truncatingIfNeeded: key.epoch >> (24 - 8 * $0)) }
      for (index, byte) in (magic + epoch).enumerated() { out[index] = byte }
      key.withBytes { for index in $0.indices { out[8 + index] = $0[index] } }
    }
    do {
      try SecretFile.create(home.keyFile.path, bytes)
    } catch {
      throw .secret(error)
    }
  }

  /// Writes `key` in the place of one that nothing is sealed under: an attempt that a crash ended.
  static func replace(with key: borrowing VaultKey, in home: Home) throws(JournalError) {
    try destroy(in: home)
    try write(key, in: home)
  }

  /// The key in the file; `nil` where there is no file.
  ///
  /// - Throws: `damagedStore` for another form, or where others could read it.
  static func read(in home: Home) throws(JournalError) -> VaultKey? {
    let bytes: SecretBytes
    do {
      bytes = try SecretFile.read(home.keyFile.path, atMost: count)
    } catch .absent {
      return nil
    } catch {
      throw .secret(error)
    }
    return try bytes.withBytes { (bytes) throws(JournalError) -> VaultKey in
      guard bytes.count == count, (0..<4).allSatisfy({ bytes[$0] == magic[$0] }) else {
        throw .damagedStore
      }
      let epoch = (4..<8).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
      guard let key = VaultKey(epoch: epoch, bytes: bytes.extracting(8..<40)) else {
        throw .damagedStore
      }
      return key
    }
  }

  /// Overwrites the file, makes that durable, and removes it.
  ///
  /// A copy that the file system or the disk kept elsewhere is out of our reach.
  static func destroy(in home: Home) throws(JournalError) {
    guard FileManager.default.fileExists(atPath: home.keyFile.path) else { return }
    do {
      let handle = try FileHandle(forUpdating: home.keyFile)
      try handle.write(contentsOf: Data(count: count))
      try handle.synchronize()
      try handle.close()
      try FileManager.default.removeItem(at: home.keyFile)
      try home.synchronizeFolder()
    } catch {
      throw .file(error)
    }
  }
}

extension JournalError {
  static func secret(_ error: SecretFileError) -> JournalError {
    switch error {
    case .system(let code): .file(NSError(domain: NSPOSIXErrorDomain, code: Int(code)))
    default: .damagedStore
    }
  }
}
