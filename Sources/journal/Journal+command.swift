// SPDX-License-Identifier: Apache-2.0
import JournalClient
import KeyFlow

extension Journal {
  /// Whether encryption is on: there is a password, and the journal can be locked.
  var isSealed: Bool {
    get throws { try state().account != nil }
  }

  /// The id in full that a person cut short.
  func id(typed: String) throws -> ObjectID {
    try id(beginningWith: typed)
  }
}
