// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// Makes guessing a password dear: OPAQUE's key stretching function.
public protocol KeyStretching: Sendable {
  /// The stretched form of `secret`, 64 bytes.
  ///
  /// - Throws: ``Argon2idError`` when there is not the memory for it.
  func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes
}

/// An Argon2id cost of the compiled-in table; only its id ever stands in a record or a file.
///
/// No cost comes from outside, none is lowered by measured speed (ATTACKS A3, A11). Which one to
/// take is the client's policy: 2, or 1 and a word to the user when memory is short.
public struct Profile: Equatable, Sendable, KeyStretching {
  /// Bytes of output.
  public static let outputBytes = 64

  /// 64 MiB, 3 passes.
  public static let one = Profile(id: 1, cost: Argon2id(passes: 3, memoryKiB: 65_536))
  /// 256 MiB, 3 passes: the default.
  public static let two = Profile(id: 2, cost: Argon2id(passes: 3, memoryKiB: 262_144))
  /// 1 GiB, 4 passes.
  public static let three = Profile(id: 3, cost: Argon2id(passes: 4, memoryKiB: 1_048_576))

  /// The whole table, in the order in which a device that does not know the profile tries it.
  public static let table: [Profile] = [.two, .one, .three]

  /// The number that stands for this cost in records and files.
  public let id: UInt8

  /// What it costs.
  public let cost: Argon2id

  /// A cost outside the table, for tests; production code names an entry of the table.
  package init(id: UInt8, cost: Argon2id) {
    self.id = id
    self.cost = cost
  }

  /// The table's entry of this id; nil for what is not in it.
  public init?(id: UInt8) {
    guard let profile = Self.table.first(where: { $0.id == id }) else { return nil }
    self = profile
  }

  /// OPAQUE's stretching: the salt is 16 zero bytes, since the OPRF key is the salt.
  ///
  /// - Throws: ``Argon2idError`` when there is not the memory for it.
  public func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes {
    try derive(from: secret, salt: [UInt8](repeating: 0, count: Argon2id.saltBytes))
  }

  /// 64 bytes from `secret` and a 16-byte `salt` of one's own: the local slot, an export.
  ///
  /// Blocks the thread for 0.1 to 4 seconds; keep it off the cooperative pool, one at a time.
  ///
  /// - Throws: ``Argon2idError`` when there is not the memory for it.
  public func derive(
    from secret: borrowing SecretBytes, salt: [UInt8]
  ) throws(Argon2idError) -> SecretBytes {
    try secret.withBytes { (secret) throws(Argon2idError) in
      try cost.derive(from: secret, salt: salt, count: Self.outputBytes)
    }
  }
}
