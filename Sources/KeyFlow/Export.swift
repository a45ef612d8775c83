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
  /// - Throws: ``BlobError`` naming the first field that is not as it must be.
  public init(_ bytes: [UInt8]) throws(BlobError) {
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
      guard SlotName.export.profiles.contains(profile) else { throw .profile }
      slots.append(
        ExportSlot(profile: profile, salt: try reader.take(16), blob: try reader.blob()))
    }
    self.slots = slots
    var records: [(id: ObjectID, blob: [UInt8])] = []
    let recordCount = try Int(reader.integer(UInt32.self))
    // A count that the file cannot hold is refused before anything is read for it.
    guard recordCount * (ObjectID.count + 4 + Blob.sizes.lowerBound) <= bytes.count else {
      throw .length
    }
    for _ in 0..<recordCount {
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
  /// - Throws: ``BlobError``: the fault of what does not open, or `incomplete` when
  ///   records were dropped, doubled, swapped, changed or added.
  public func open(
    slot index: Int, stretched: borrowing SecretBytes
  ) throws(BlobError) -> OpenedExport {
    let slot = slots[index]
    let slotKey = Self.slotKey(stretched, slot.salt, slot.profile)
    let opened = try Slot.open(slot.blob, as: .export, under: slotKey, uid: uid)
    guard opened.profile == slot.profile else { throw .profile }
    guard opened.key.epoch == Self.epoch else { throw .epoch }
    let head = try Head(opening: headBlob, with: Keyring(current: opened.key), uid: uid)
    var rows: [Row] = []
    for (id, blob) in records {
      let header = try BlobHeader(blob.span)
      guard header.kind == .exportRecord else { throw .kind }
      rows.append(Row(id: id, revision: header.revision, hash: Digest(ofBlob: blob.span)))
    }
    let base = HeadPoint(generation: head.generation, seq: head.seq, hash: head.previous)
    guard var root = VaultRoot(rows), Int(head.records) == root.count,
      root.digest() == head.root, base == opened.base,
      head.skips.allSatisfy({ $0 == .zero })
    else { throw .incomplete }
    return OpenedExport(slot: opened, uid: uid, rows: rows)
  }

  static func slotKey(
    _ stretched: borrowing SecretBytes, _ salt: [UInt8], _ profile: UInt8
  ) -> SecretBytes {
    precondition(salt.count == 16 && stretched.count == 64)
    return KDF.derive(salt: salt, from: stretched, info: Label.slotExport([profile]), count: 32)
  }
}

/// A container whose head vouches for exactly the records it holds.
public struct OpenedExport: ~Copyable, Sendable {
  private let slot: Slot
  private let uid: ObjectID
  /// The records, by id.
  public let rows: [Row]

  fileprivate init(slot: consuming Slot, uid: ObjectID, rows: [Row]) {
    self.slot = slot
    self.uid = uid
    self.rows = rows
  }

  /// The vault's head that the exporting device had verified.
  public var base: HeadPoint { slot.base }

  /// The payload of one of the container's records.
  ///
  /// - Throws: ``BlobError`` when the blob is not the one that belongs to `row`.
  public borrowing func payload(
    of row: Row, in blob: [UInt8]
  ) throws(BlobError) -> SecretBytes {
    guard Digest(ofBlob: blob.span) == row.hash else { throw .incomplete }
    return try slot.key.open(
      blob, .exportRecord, oid: row.id, revision: row.revision, uid: uid)
  }
}

/// Reads a container front to back; never past the end.
private struct ExportReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ count: Int) throws(BlobError) -> [UInt8] {
    guard bytes.count - position >= count else { throw .length }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func integer<T: FixedWidthInteger & UnsignedInteger>(
    _: T.Type = T.self
  ) throws(BlobError) -> T {
    let taken = try take(T.bitWidth / 8)
    return taken.span.integer(at: 0)
  }

  mutating func id() throws(BlobError) -> ObjectID {
    let taken = try take(ObjectID.count)
    return taken.span.id(at: 0)
  }

  mutating func blob() throws(BlobError) -> [UInt8] {
    let count = try Int(integer(UInt32.self))
    guard Blob.sizes.contains(count) else { throw .length }
    return try take(count)
  }
}
