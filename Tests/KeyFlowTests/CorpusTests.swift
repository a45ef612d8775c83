// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium
import TestSupport
import Testing

/// The kept inputs, and changes of them, before every parser of a sealed form.
@Suite struct CorpusTests {
  @Test func `B10: no kept input, and no change of one, opens or traps`() throws {
    var random = SeededGenerator(for: "B10 corpus")
    let (uid, oid) = (ObjectID.make(), ObjectID.make())
    let ring = Keyring(current: VaultKey.make(epoch: 1))
    let current = ring.currentKey()
    let slotKey = SecretBytes.random(count: 32, in: .heap)
    for input in try Corpus.inputs("forms") {
      let changes = (0..<20).map { _ in random.changed(input.bytes) }
      for bytes in [input.bytes] + changes {
        let record = try? ring.open(bytes.span, .record, oid: oid, revision: nil, uid: uid).count
        let head = try? Head(opening: bytes, with: ring, uid: uid)
        let keyring = try? Keyring.open(bytes, current: current, uid: uid).epochs
        let slot = try? Slot.open(bytes, as: .password, under: slotKey, uid: uid).profile
        #expect(
          record == nil && head == nil && keyring == nil && slot == nil,
          "\(input.name): \(bytes)")
        // These may be whole: what is inside them is not read without a key.
        if let file = try? LocalFile(bytes) {
          let opened = try? file.open(stretched: SecretBytes.random(count: 64)).profile
          #expect(opened == nil, "\(input.name): \(bytes)")
        }
        _ = try? ExportContainer(bytes)
      }
    }
  }
}
