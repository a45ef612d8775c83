// SPDX-License-Identifier: Apache-2.0
import JournalClient
import KeyFlow

extension Journal {
  /// Whether encryption is on: there is a password, and the journal can be locked.
  var isSealed: Bool {
    get throws { try state().account != nil }
  }

  /// The id that a person typed, in full or cut short; in full it may be a deleted entry's.
  func id(typed: String) throws -> ObjectID {
    if let id = ObjectID(hex: typed.filter { $0 != "-" }) { return id }
    return try id(beginningWith: typed)
  }
}
