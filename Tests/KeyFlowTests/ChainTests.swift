// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import TestSupport
import Testing

@testable import KeyFlow

@Suite struct ChainVectors {
  struct RowCase: Decodable, Sendable {
    let recordId: Hex
    let revision: UInt64
    let blobHash: Hex

    func row() throws -> Row {
      Row(id: try recordId.id(), revision: revision, hash: try blobHash.digest())
    }
  }

  struct RootCase: Decodable, Sendable {
    let name: String
    let rows: [RowCase]
    let root: Hex?
    let error: String?
  }

  @Test(arguments: try Vectors<RootCase>.load("root"))
  func `a root covers its rows in any order`(_ vector: RootCase) throws {
    let rows = try vector.rows.map { try $0.row() }
    var root = VaultRoot(rows.shuffled())
    #expect(root?.digest().bytes == vector.root?.bytes)
    #expect((root == nil) == (vector.error != nil))
  }

  struct VerdictCase: Decodable, Sendable {
    struct EpochKey: Decodable, Sendable {
      let epoch: UInt32
      let vaultKey: Hex
    }
    let name: String
    let uid: Hex
    let keys: [EpochKey]
    let pinGeneration: UInt32
    let pinSeq: UInt64
    let pinHash: Hex
    let generation: UInt32
    let seq: UInt64
    let heads: [Hex]
    let rows: [RowCase]
    let changed: [RowCase]?
    let headHash: Hex?
    let error: String?
  }

  @Test(arguments: try Vectors<VerdictCase>.load("verdict"))
  func `B2: a snapshot is verified from the pin, or named for what it is`(
    _ vector: VerdictCase
  ) throws {
    let uid = try vector.uid.id()
    let keys = vector.keys.sorted { $0.epoch < $1.epoch }
    var ring = try keyring(keys[0].epoch, keys[0].vaultKey)
    for key in keys.dropFirst() {
      ring = try ring.adding(
        try vaultKey(key.epoch, key.vaultKey))
    }
    let pin = HeadPoint(
      generation: vector.pinGeneration, seq: vector.pinSeq, hash: try vector.pinHash.digest())
    guard var root = VaultRoot(try vector.rows.map { try $0.row() }) else {
      #expect(vector.error == HeadFault.incomplete.rawValue)
      return
    }
    for row in vector.changed ?? [] { root.set(try row.row()) }
    let snapshot = Snapshot(
      generation: vector.generation, seq: vector.seq, heads: vector.heads.map(\.bytes))
    do {
      let point = try snapshot.verify(from: pin, root: &root, keyring: ring, uid: uid).point
      #expect(vector.error == nil)
      #expect(point.hash.bytes == vector.headHash?.bytes)
    } catch {
      #expect(error.rawValue == vector.error)
    }
  }

  struct BeginningCase: Decodable, Sendable {
    let name: String
    let uid: Hex
    let keys: [VerdictCase.EpochKey]
    let generation: UInt32
    let seq: UInt64
    let heads: [Hex]
    let rows: [RowCase]
    let firstHash: Hex?
    let headHash: Hex?
    let error: String?
  }

  @Test(arguments: try Vectors<BeginningCase>.load("beginning"))
  func `a generation without a pin is verified from its head 1, or named for what it is`(
    _ vector: BeginningCase
  ) throws {
    let uid = try vector.uid.id()
    var ring = try keyring(vector.keys[0].epoch, vector.keys[0].vaultKey)
    for key in vector.keys.dropFirst() {
      ring = try ring.adding(try vaultKey(key.epoch, key.vaultKey))
    }
    var root = try #require(VaultRoot(try vector.rows.map { try $0.row() }))
    let snapshot = Snapshot(
      generation: vector.generation, seq: vector.seq, heads: vector.heads.map(\.bytes))
    do {
      let first = try snapshot.beginning(keyring: ring, uid: uid)
      let point = try snapshot.verify(from: first, root: &root, keyring: ring, uid: uid).point
      #expect(vector.error == nil)
      #expect(first.hash.bytes == vector.firstHash?.bytes)
      #expect(point.hash.bytes == vector.headHash?.bytes)
    } catch {
      #expect(error.rawValue == vector.error)
    }
  }

  struct ExportCase: Decodable, Sendable {
    struct Record: Decodable, Sendable {
      let recordId: Hex
      let revision: UInt64
      let payload: Hex
    }
    let name: String
    let passphrase: Hex
    let records: [Record]?
    let container: Hex
    let error: String?
  }

  @Test(arguments: try Vectors<ExportCase>.load("export"))
  func `B9: a container opens whole, or is refused whole`(_ vector: ExportCase) throws {
    do {
      let container = try ExportContainer(vector.container.bytes)
      let opened = try open(container, vector.passphrase.bytes)
      let rows = opened.rows
      var payloads: [[UInt8]] = []
      for (row, record) in zip(rows, container.records) {
        payloads.append(try opened.payload(of: row, in: record.blob).array())
      }
      #expect(vector.error == nil)
      #expect(rows.map(\.id.bytes) == vector.records?.map(\.recordId.bytes))
      #expect(payloads == vector.records?.map(\.payload.bytes))
    } catch let error as BlobError {
      #expect(error.rawValue == vector.error)
    }
  }
}

/// Opens a container by the slot that `passphrase` fits; the last one's fault where none does.
private func open(_ container: ExportContainer, _ passphrase: [UInt8]) throws -> OpenedExport {
  let input = Array("KF1-XP".utf8) + bigEndian(UInt16(passphrase.count)) + passphrase
  for (index, slot) in container.slots.dropLast().enumerated() {
    let stretched = try stretch(input, slot.profile, slot.salt)
    do {
      return try container.open(slot: index, stretched: stretched)
    } catch BlobError.commitment {
      continue
    }
  }
  let last = try #require(container.slots.last)
  let stretched = try stretch(input, last.profile, last.salt)
  return try container.open(slot: container.slots.count - 1, stretched: stretched)
}

@Suite struct ChainProperties {
  let uid = ObjectID.make()
  let device = ObjectID.make()

  @Test func `B2: a long chain is verified over skip links from any pin`() throws {
    let ring = Keyring(current: VaultKey.make(epoch: 1))
    var root = VaultRoot()
    var heads: [UInt64: (blob: [UInt8], head: Head)] = [:]
    var head = Head(
      first: 1, root: root.digest(), records: 0, epoch: 1, device: device, time: 0)
    for seq in UInt64(1)...300 {
      heads[seq] = (head.seal(under: ring, uid: uid), head)
      let blob = try #require(heads[seq]).blob
      let hash = Digest(ofBlob: blob.span)
      head = head.next(
        after: hash, root: root.digest(), records: 0, epoch: 1, device: device, time: seq)
    }
    for pinned in [UInt64(1), 3, 64, 255, 299, 300] {
      let pinnedBlob = try #require(heads[pinned]).blob
      let pin = HeadPoint(generation: 1, seq: pinned, hash: Digest(ofBlob: pinnedBlob.span))
      let path = shortestPath(from: pinned, to: 300)
      #expect(path.count < 20)
      let snapshot = Snapshot(
        generation: 1, seq: 300, heads: try path.map { try #require(heads[$0]).blob })
      let seq = try snapshot.verify(from: pin, root: &root, keyring: ring, uid: uid).point.seq
      #expect(seq == 300)
      // Every head on the way is needed.
      for gap in path.indices.dropFirst().dropLast() {
        var holed = snapshot
        holed.heads.remove(at: gap)
        #expect(throws: HeadFault.self) {
          _ = try holed.verify(from: pin, root: &root, keyring: ring, uid: uid).point
        }
      }
    }
  }

  private func shortestPath(from first: UInt64, to last: UInt64) -> [UInt64] {
    var path = [last]
    while let seq = path.last, seq > first {
      let jumps = (1...Head.skipCount).map { (seq - 1) / Head.stride($0) * Head.stride($0) }
      path.append((jumps + [seq - 1]).filter { $0 >= first }.min() ?? seq - 1)
    }
    return path.reversed()
  }

  @Test func `an incremental root equals one made anew`() {
    var random = SeededGenerator(for: "incremental root")
    var root = VaultRoot()
    var rows: [ObjectID: Row] = [:]
    let ids = (0..<300).map { _ in ObjectID.make() }
    for step in 1...2_000 {
      guard let id = ids.randomElement(using: &random) else { continue }
      let bytes = random.bytes(8)
      let hash = Digest(ofBlob: bytes.span)
      let row = Row(id: id, revision: UInt64(step), hash: hash)
      rows[id] = row
      root.set(row)
      if step.isMultiple(of: 100) {
        var anew = VaultRoot(rows.values)
        #expect(anew?.digest() == root.digest())
      }
    }
    #expect(root.count == rows.count)
    let bytes = root.rows[0].bytes
    #expect(Row(bytes.span) == root.rows[0])
  }

  @Test func `a container written piece by piece opens as what went in`() throws {
    let stretched = SecretBytes.random(count: 64)
    let salt = randomBytes(16)
    let base = HeadPoint(generation: 2, seq: 9, hash: Digest(ofBlob: salt.span))
    let ids = (0..<5).map { _ in ObjectID.make() }.sorted()
    var writer = ExportWriter(uid: uid, base: base)
    var bytes = writer.start(records: 5, profile: 1, salt: salt, stretched: stretched)
    for (index, id) in ids.enumerated() {
      let payload = [UInt8](repeating: UInt8(index), count: index * 300)
      bytes += writer.append(payload.span, id: id, revision: UInt64(index + 1))
    }
    bytes += writer.finish(device: device, time: 7)
    let container = try ExportContainer(bytes)
    let opened = try container.open(slot: 0, stretched: stretched)
    #expect(opened.base == base)
    let rows = opened.rows
    #expect(rows.map(\.id) == ids)
    for (index, (row, record)) in zip(rows, container.records).enumerated() {
      let payload = try opened.payload(of: row, in: record.blob).array()
      #expect(payload == [UInt8](repeating: UInt8(index), count: index * 300))
    }
    #expect(throws: BlobError.incomplete) {
      _ = try opened.payload(of: rows[0], in: container.records[1].blob).count
    }
  }

  @Test func `a key that is not newer is refused, not trapped`() {
    let ring = Keyring(current: VaultKey.make(epoch: 3))
    #expect(throws: BlobError.order) { _ = try ring.adding(VaultKey.make(epoch: 3)).epoch }
  }

  @Test func `B10: random bytes are no container, file, head, slot or keyring`() {
    var random = SeededGenerator(for: "B10 forms")
    let ring = Keyring(current: VaultKey.make(epoch: 1))
    let current = ring.currentKey()
    for _ in 0..<2_000 {
      var bytes = random.bytes(Int.random(in: 0...1_400, using: &random))
      let magics = ["KFX1", "KFL1", "KFB1"].map { Array($0.utf8) + [1] }
      if bytes.count > 5, let magic = magics.randomElement(using: &random) {
        bytes.replaceSubrange(0..<5, with: magic)
      }
      #expect((try? ExportContainer(bytes)) == nil)
      if let file = try? LocalFile(bytes) {
        #expect((try? file.open(stretched: SecretBytes.random(count: 64)).profile) == nil)
      }
      #expect((try? Head(opening: bytes, with: ring, uid: uid)) == nil)
      #expect((try? Keyring.open(bytes, current: current, uid: uid).epochs) == nil)
      let slotKey = SecretBytes.random(count: 32, in: .heap)
      #expect(
        (try? Slot.open(
          bytes, as: .password, under: slotKey, uid: uid
        ).profile) == nil)
    }
  }
}
