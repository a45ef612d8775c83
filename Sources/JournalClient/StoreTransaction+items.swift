// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import Sodium

// Local items: what the device keeps for itself, sealed. A lost or damaged one is made anew, or
// asked for again; it is never an error that it is not there.
extension StoreTransaction {
  /// Seals `content` as the item `name`, in the place of the one before.
  ///
  /// - Returns: The item's new oid.
  /// - Throws: `tooLarge` for more than 1 MiB.
  @discardableResult
  func setItem(
    _ name: String, _ content: borrowing SecretBytes, with keys: UnlockedKeys
  ) throws(JournalError) -> ObjectID {
    guard content.count <= Blob.largestContent else { throw .tooLarge(limit: Blob.largestContent) }
    let oid = ObjectID.make()
    let blob = content.withBytes {
      keys.keyring.seal($0, .localItem, oid: oid, revision: 0, uid: keys.uid)
    }
    try run(
      "INSERT OR REPLACE INTO items (name, oid, epoch, blob) VALUES (?, ?, ?, ?)",
      [name, oid.data, Int64(keys.keyring.epoch), Data(blob)])
    return oid
  }

  /// Seals `content`, which is no secret for long, as the item `name`.
  ///
  /// - Returns: The item's new oid.
  /// - Throws: `tooLarge` for more than 1 MiB.
  @discardableResult
  func setItem(
    _ name: String, _ content: [UInt8], with keys: UnlockedKeys
  ) throws(JournalError) -> ObjectID {
    let content = SecretBytes(copying: content.span, in: .heap)
    return try setItem(name, content, with: keys)
  }

  /// The content of the item `name`; `nil` where there is none that opens, or, where `oid` is
  /// given, another one.
  func item(
    _ name: String, oid: ObjectID? = nil, with keys: UnlockedKeys
  ) throws(JournalError) -> SecretBytes? {
    guard let item = try sealedItem(name) else { return nil }
    if let oid, item.oid != oid { return nil }
    return try? keys.keyring.open(
      item.blob.span, .localItem, oid: item.oid, revision: nil, uid: keys.uid)
  }

  /// An item as it stands in the store.
  func sealedItem(_ name: String) throws(JournalError) -> (oid: ObjectID, blob: Data)? {
    try one("SELECT oid, blob FROM items WHERE name = ?", [name]) { row in
      guard let oid = row.id(0), let blob = row[1] as Data? else { return nil }
      return (oid, blob)
    }
  }

  /// The oid of an item: another one each time it is sealed.
  func itemOID(_ name: String) throws(JournalError) -> ObjectID? {
    try one("SELECT oid FROM items WHERE name = ?", [name]) { $0.id(0) }
  }

  /// Forgets the item `name`.
  func dropItem(_ name: String) throws(JournalError) {
    try run("DELETE FROM items WHERE name = ?", [name])
  }

  /// Forgets all items whose names begin with `prefix`.
  func dropItems(prefix: String) throws(JournalError) {
    try run("DELETE FROM items WHERE substr(name, 1, ?) = ?", [prefix.count, prefix])
  }
}
