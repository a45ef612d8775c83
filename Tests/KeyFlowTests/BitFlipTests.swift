// SPDX-License-Identifier: Apache-2.0
import KeyFlow
import Sodium
import Testing

/// Key material with one bit of it changed (ATTACKS A1).
@Suite final class BitFlipTests {
  private let uid = ObjectID.make()
  private let key = VaultKey.make(epoch: 3)
  private let point = HeadPoint(generation: 1, seq: 9, hash: .zero)

  /// The bits of `blob` that can be flipped without being noticed.
  private func unnoticed(_ blob: [UInt8], _ opens: ([UInt8]) -> Bool) -> [Int] {
    #expect(opens(blob))
    return (0..<blob.count * 8).filter { bit in
      var flipped = blob
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      return opens(flipped)
    }
  }

  @Test func `A1: no bit of a slot can be flipped`() {
    let slotKey = SecretBytes.random(count: 32)
    let blob = Slot.seal(key, profile: 2, base: point, as: .password, under: slotKey, uid: uid)
    let found = unnoticed(blob) {
      (try? Slot.open($0, as: .password, under: slotKey, uid: uid)) != nil
    }
    #expect(found.isEmpty)
  }

  @Test func `A1: no bit of a keyring can be flipped`() throws {
    let ring = try Keyring(current: VaultKey.make(epoch: 2)).adding(key)
    let blob = ring.sealOlder(seq: 9, uid: uid)
    let found = unnoticed(blob) { (try? Keyring.open($0, current: key, uid: uid)) != nil }
    #expect(found.isEmpty)
  }

  @Test func `A1: no bit of a head can be flipped`() {
    let ring = Keyring(current: key)
    var root = VaultRoot()
    let head = Head(
      first: 1, root: root.digest(), records: 0, epoch: 3, device: uid, time: 1_790_000_000_000)
    let blob = head.seal(under: ring, uid: uid)
    let found = unnoticed(blob) { (try? Head(opening: $0, with: ring, uid: uid)) != nil }
    #expect(found.isEmpty)
  }
}
