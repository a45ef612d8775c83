// SPDX-License-Identifier: Apache-2.0
import Sodium

/// What a device tells the account's other devices about itself, sealed (kind 7, oid the device).
///
/// Content: `u8 1 ‖ LP16(name) ‖ u64 last synced ms ‖ u64 last pulled ms ‖ u32 generation ‖
/// u64 head seq ‖ head hash 32`; the name is UTF-8 of 1…200 bytes.
public struct DeviceLabel: Equatable, Sendable {
  /// The device's name, for people.
  public let name: String
  /// When it last synced, by its clock, in milliseconds since 1970.
  public var lastSynced: UInt64
  /// When it last pulled.
  public var lastPulled: UInt64
  /// The head it had verified then.
  public var pin: HeadPoint

  /// A label of its parts; the name is cut to 200 bytes, none becomes "device".
  public init(name: String, lastSynced: UInt64, lastPulled: UInt64, pin: HeadPoint) {
    var scalars = name.unicodeScalars
    while String(scalars).utf8.count > 200 { scalars.removeLast() }
    self.name = scalars.isEmpty ? "device" : String(scalars)
    self.lastSynced = lastSynced
    self.lastPulled = lastPulled
    self.pin = pin
  }

  /// This label, sealed under the current key.
  public func seal(under keyring: borrowing Keyring, device: ObjectID, uid: ObjectID) -> [UInt8] {
    let name = Array(name.utf8)
    let content =
      [1] + bigEndian(UInt16(name.count)) + name + bigEndian(lastSynced) + bigEndian(lastPulled)
      + bigEndian(pin.generation) + bigEndian(pin.seq) + pin.hash.bytes
    return keyring.seal(
      content.span, .deviceLabel, oid: device, revision: pin.seq, uid: uid)
  }

  /// Opens the label of `device`.
  ///
  /// - Throws: ``BlobError`` when keys, device, bytes or form are not those of a label.
  public init(
    opening blob: [UInt8], device: ObjectID, with keyring: borrowing Keyring, uid: ObjectID
  ) throws(BlobError) {
    let content = try keyring.open(
      blob.span, .deviceLabel, oid: device, revision: nil, uid: uid)
    self = try content.withBytes { (content) throws(BlobError) in
      guard content.count >= 3 else { throw .length }
      guard content[0] == 1 else { throw .version }
      let count = Int(content.integer(at: 1, as: UInt16.self))
      guard content.count >= 3 + count else { throw .length }
      guard (1...200).contains(count),
        let name = String(validating: content.copy(at: 3, count: count), as: UTF8.self)
      else { throw .name }
      guard content.count == 3 + count + 60 else { throw .length }
      let start = 3 + count
      return DeviceLabel(
        name: name, lastSynced: content.integer(at: start),
        lastPulled: content.integer(at: start + 8),
        pin: HeadPoint(
          generation: content.integer(at: start + 16), seq: content.integer(at: start + 20),
          hash: content.digest(at: start + 28)))
    }
  }
}
