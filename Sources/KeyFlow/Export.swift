// SPDX-License-Identifier: Apache-2.0
public import Sodium

/// The encrypted export container, read whole (SPEC §10); nothing is believed before it is opened.
///
/// `"KFX1" ‖ suite ‖ uid 16 ‖ u8 slots ‖ slots ‖ u32 n ‖ n × (record id 16 ‖ u32 length ‖ blob
/// kind 5) ‖ u32 length ‖ head blob`; a slot is `u8 type 1 ‖ u8 profile ‖ salt 16 ‖ u32 length ‖
/// blob kind 2`. Records rise by id.
public struct ExportContainer: Sendable {
  static let magic = Array("KFX1".utf8)
  static let passphraseSlot: UInt8 = 1
  /// The epoch of everything in a container: its key is fresh and belongs to no vault.
  static let epoch: UInt32 = 0

  /// One way to open a container, by passphrase.
  public struct ExportSlot: Equatable, Sendable {
    /// The Argon2id profile.
    public let profile: UInt8
    /// Argon2id's salt, 16 bytes.
    public let salt: [UInt8]
    let blob: [UInt8]
  }

  /// The account it was made from.
  public let uid: ObjectID
  /// The ways to open it, 1…8.
  public let slots: [ExportSlot]
  /// The sealed records, by id.
  public let records: [(id: ObjectID, blob: [UInt8])]
  private let headBlob: [UInt8]

  /// Reads the shape of a container, without any key.
  ///
  /// - Throws: ``ExportError`` naming the first field that is not as it must be.
  public init(_ bytes: [UInt8]) throws(ExportError) {
    var reader = ExportReader(bytes)
    guard try reader.take(4) == Self.magic else { throw .magic }
    guard try reader.take(1) == [BlobHeader.suite] else { throw .suite }
    uid = try reader.id()
    let slotCount = try Int(reader.integer(UInt8.self))
    guard (1...8).contains(slotCount) else { throw .slots }
    var slots: [ExportSlot] = []
    for _ in 0..<slotCount {
      guard try reader.take(1) == [Self.passphraseSlot] else { throw .type }
      let profile: UInt8 = try reader.integer()
      guard Slot.passwordProfiles.contains(profile) else { throw .profile }
      slots.append(
        ExportSlot(profile: profile, salt: try reader.take(16), blob: try reader.blob()))
    }
    self.slots = slots
    var records: [(id: ObjectID, blob: [UInt8])] = []
    for _ in 0..<(try reader.integer(UInt32.self)) {
      let id = try reader.id()
      if let last = records.last, last.id >= id { throw .order }
      records.append((id, try reader.blob()))
    }
    self.records = records
    headBlob = try reader.blob()
    guard reader.isAtEnd else { throw .length }
  }

  /// Opens the container with what Argon2id made (64 bytes) of the passphrase for `slots[slot]`.
  ///
  /// - Throws: ``ExportError``: the fault of a blob that does not open, or `incomplete` when
  ///   records were dropped, doubled, swapped, changed or added.
  public func open(
    slot index: Int, stretched: borrowing SecretBytes
  ) throws(ExportError) -> OpenedExport {
    let slot = slots[index]
    let slotKey = Self.slotKey(stretched, slot.salt, slot.profile)
    let opened: Slot
    let head: Head
    do throws(BlobError) {
      opened = try Slot.open(
        slot.blob, as: .export, profiles: slot.profile...slot.profile, under: slotKey, uid: uid)
      guard opened.key.epoch == Self.epoch else { throw BlobError.epoch }
      head = try Head(opening: headBlob, with: Keyring(current: opened.key), uid: uid)
    } catch {
      throw ExportError(error)
    }
    var rows: [Row] = []
    for (id, blob) in records {
      let revision: UInt64
      do { revision = try BlobHeader(blob.span).revision } catch { throw ExportError(error) }
      rows.append(Row(id: id, revision: revision, hash: Digest(ofBlob: blob.span)))
    }
    let base = HeadPoint(generation: head.generation, seq: head.seq, hash: head.previous)
    guard var root = VaultRoot(rows), Int(head.records) == root.count,
      root.digest() == head.root, base == opened.base
    else { throw .incomplete }
    return OpenedExport(key: opened.key, uid: uid, base: base, rows: rows)
  }

  static func slotKey(
    _ stretched: borrowing SecretBytes, _ salt: [UInt8], _ profile: UInt8
  ) -> SecretBytes {
    KDF.derive(salt: salt, from: stretched, info: Label.slotExport([profile]), count: 32)
  }
}

/// A container whose head vouches for exactly the records it holds.
public struct OpenedExport: ~Copyable, Sendable {
  private let key: VaultKey
  private let uid: ObjectID
  /// The vault's head that the exporting device had verified.
  public let base: HeadPoint
  /// The records, by id.
  public let rows: [Row]

  fileprivate init(key: consuming VaultKey, uid: ObjectID, base: HeadPoint, rows: [Row]) {
    self.key = key
    self.uid = uid
    self.base = base
    self.rows = rows
  }

  /// The payload of one of the container's records.
  ///
  /// - Throws: ``ExportError`` when the blob is not the one that belongs to `row`.
  public borrowing func payload(
    of row: Row, in blob: [UInt8]
  ) throws(ExportError) -> SecretBytes {
    do {
      return try key.open(blob, .exportRecord, oid: row.id, revision: row.revision, uid: uid)
    } catch {
      throw ExportError(error)
    }
  }
}

/// Why a container is refused: its own faults, or those of a blob in it.
public enum ExportError: Error, Equatable, Sendable {
  /// A blob in it does not open, or a length, magic, suite or profile is not as it must be.
  case blob(BlobError)
  /// No slot, or more than eight.
  case slots
  /// A way in that this version does not know.
  case type
  /// Records were dropped, doubled, swapped, changed or added since it was made.
  case incomplete

  init(_ fault: BlobError) { self = .blob(fault) }

  static let magic = ExportError.blob(.magic)
  static let suite = ExportError.blob(.suite)
  static let profile = ExportError.blob(.profile)
  static let order = ExportError.blob(.order)
  static let length = ExportError.blob(.length)
}

/// Reads a container front to back; never past the end.
private struct ExportReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ count: Int) throws(ExportError) -> [UInt8] {
    guard bytes.count - position >= count else { throw .length }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func integer<T: FixedWidthInteger & UnsignedInteger>(
    _: T.Type = T.self
  ) throws(ExportError) -> T {
    try take(T.bitWidth / 8).span.integer(at: 0)
  }

  mutating func id() throws(ExportError) -> ObjectID { try take(16).span.id(at: 0) }

  mutating func blob() throws(ExportError) -> [UInt8] {
    let count = try Int(integer(UInt32.self))
    guard Blob.sizes.contains(count) else { throw .length }
    return try take(count)
  }
}
