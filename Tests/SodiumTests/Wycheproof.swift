// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// A Wycheproof file (C2SP), read in place.
struct Wycheproof<Group: Decodable>: Decodable {
  let numberOfTests: Int
  let testGroups: [Group]

  /// The file's content; nil where it is not on this machine and need not be.
  static func load(_ name: String) throws -> Wycheproof? {
    guard let file = try Repository.external("wycheproof/\(name).json") else { return nil }
    return try JSONDecoder().decode(Wycheproof.self, from: Data(contentsOf: file))
  }
}
