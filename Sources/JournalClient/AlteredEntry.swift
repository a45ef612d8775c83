// SPDX-License-Identifier: Apache-2.0
public import KeyFlow

/// An entry that the server shows otherwise than the owner's devices made it.
public struct AlteredEntry: Equatable, Sendable {
  /// What was done to it.
  public enum Alteration: Equatable, Sendable {
    /// Its bytes are none that a device of this vault sealed.
    case tampered
    /// It holds the bytes of another record.
    case swapped(with: ObjectID)
    /// It is an older state of itself than the list must show.
    case turnedBack
    /// This device has verified it, and the list has it no more.
    case leftOut
  }

  /// The record.
  public let id: ObjectID
  /// What was done to it.
  public let alteration: Alteration

  /// An entry and what was done to it.
  public init(id: ObjectID, _ alteration: Alteration) {
    self.id = id
    self.alteration = alteration
  }

  /// The word for the activity log.
  var word: String {
    switch alteration {
    case .tampered: "tampered"
    case .swapped: "swapped"
    case .turnedBack: "turned-back"
    case .leftOut: "left-out"
    }
  }
}
