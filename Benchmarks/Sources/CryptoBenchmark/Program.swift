// SPDX-License-Identifier: Apache-2.0
import CBare
import KeyFlow

/// Row 1: seal and open one 2 KB record, against the same primitives called bare.
@main
struct Program {
  static func main() {
    let content = [UInt8](repeating: 0x61, count: 2_048)
    let key = VaultKey.make(epoch: 1)
    let ring = Keyring(current: key)
    let uid = ObjectID.make()
    let oid = ObjectID.make()
    let rounds = 4_000
    var blob = ring.seal(content.span, .record, oid: oid, revision: 1, uid: uid)
    let bare = Bare(like: blob)

    let seal = compare(
      ours: {
        for round in 1...rounds {
          blob = ring.seal(content.span, .record, oid: oid, revision: UInt64(round), uid: uid)
          check(Digest(ofBlob: blob.span) != .zero)
        }
      }, bare: { for _ in 1...rounds { bare.seal() } })
    let open = compare(
      ours: {
        for _ in 1...rounds {
          check(Digest(ofBlob: blob.span) != .zero)
          let opened = try? ring.open(blob.span, .record, oid: oid, revision: nil, uid: uid).count
          check(opened == content.count)
        }
      }, bare: { for _ in 1...rounds { check(bare.open()) } })
    report("seal 2 KB", seal, rounds)
    report("open 2 KB", open, rounds)
  }

  /// Seven pairs, one after the other, so that a drift of the machine hits both.
  static func compare(ours: () -> Void, bare: () -> Void) -> [(ours: Double, bare: Double)] {
    ours()
    bare()
    return (1...7).map { _ in (seconds(ours), seconds(bare)) }
  }

  static func seconds(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
  }

  static func report(_ name: String, _ pairs: [(ours: Double, bare: Double)], _ rounds: Int) {
    let ratios = pairs.map { $0.ours / $0.bare }.sorted()
    let ours = pairs.map(\.ours).sorted()[3] / Double(rounds) * 1e3
    let bare = pairs.map(\.bare).sorted()[3] / Double(rounds) * 1e3
    print(
      "{\"row\": \"1 \(name)\", \"ms\": \(ours), \"limit_ms\": \(bare), "
        + "\"ratio\": \(ratios[3]), \"ratio_min\": \(ratios[0]), \"ratio_max\": \(ratios[6]), "
        + "\"target\": \"at most 1.5 ×\"}")
  }

  static func check(_ holds: Bool) {
    precondition(holds, "the benchmark does not do what it says")
  }
}

/// The bare calls on buffers of the same sizes.
final class Bare {
  private var blob: [UInt8]
  private var plain: [UInt8]
  private let key = [UInt8](repeating: 7, count: 32)
  private let info = [UInt8](repeating: 1, count: 62)
  private let data = [UInt8](repeating: 2, count: 116)
  private var hash = [UInt8](repeating: 0, count: 64)

  init(like blob: [UInt8]) {
    self.blob = blob
    plain = [UInt8](repeating: 0x61, count: blob.count - 100)
    seal()
  }

  func seal() {
    bare_seal(
      &blob, plain, plain.count, key, info, info.count, data, data.count, &hash)
  }

  func open() -> Bool {
    bare_open(&plain, blob, blob.count, key, info, info.count, data, data.count, &hash) == 0
  }
}
