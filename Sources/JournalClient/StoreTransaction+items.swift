// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import KeyFlow
import Sodium

// Local items: what the device keeps for itself, sealed. A lost or damaged one is made anew, or
// asked for again; it is never an error that it is not there.
extension StoreTransaction {
  /// Seals `content` as the item `name`, in the place of the one before.
  func setItem(_ name: String, _ content: [UInt8], with keys: UnlockedKeys) throws(JournalError) {
    guard content.count <= Blob.largestContent else { throw .tooLarge(limit: Blob.largestContent) }
    let oid = ObjectID.make()
    let blob = keys.keyring.seal(content.span, .localItem, oid: oid, revision: 0, uid: keys.uid)
    try run(
      "INSERT OR REPLACE INTO items (name, oid, epoch, blob) VALUES (?, ?, ?, ?)",
      [name, oid.data, Int64(keys.keyring.epoch), Data(blob)])
  }

  /// The content of the item `name`; `nil` where there is none that opens.
  func item(_ name: String, with keys: UnlockedKeys) throws(JournalError) -> SecretBytes? {
    guard let (oid, blob) = try sealedItem(name) else { return nil }
    return try? keys.keyring.open(
      blob.span, .localItem, oid: oid, revision: nil, uid: keys.uid)
  }

  /// An item as it stands in the store.
  func sealedItem(_ name: String) throws(JournalError) -> (oid: ObjectID, blob: [UInt8])? {
    try one("SELECT oid, blob FROM items WHERE name = ?", [name]) { row in
      guard let oid = row.id(0), let blob = row.bytes(1) else { return nil }
      return (oid, blob)
    }
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
