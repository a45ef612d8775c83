// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import Synchronization
import TestSupport
import Testing
import VaultProtocol

/// Three devices, a network that cuts at random, any order of edits and syncs.
@Suite struct ScheduleTests {
  @Test func `C12: devices that do anything in any order agree in the end, and nothing is lost`()
    async throws
  {
    let random = Mutex(SeededGenerator(for: "ScheduleTests"))
    @Sendable func draw(_ range: Range<Int>) -> Int {
      random.withLock { Int.random(in: range, using: &$0) }
    }
    let vault = try TestVault()
    try await vault.serve { server in
      let clock = TestClock()
      let devices = [
        try TestDevice(clock: clock), try TestDevice(clock: clock), try TestDevice(clock: clock),
      ]
      try await devices[0].register(at: server)
      try await devices[1].join(at: server)
      try await devices[2].join(at: server)
      vault.lie { request, honest in
        switch draw(0..<12) {
        case 0: return .problem(.internalError)
        case 1: return .cut
        case 2:
          _ = try await honest(request)
          return .cut
        default: return nil
        }
      }
      var written: [(id: ObjectID, text: String)] = []
      var deleted: Set<ObjectID> = []
      for step in 0..<150 {
        let device = devices[draw(0..<3)]
        let ids = try device.journal.list().map(\.id)
        switch draw(0..<10) {
        case 0...2:
          let text = "written \(step)"
          written.append((try device.journal.write(title: "t", content: text).id, text))
        case 3...4 where !ids.isEmpty:
          let id = ids[draw(0..<ids.count)]
          let text = "edited \(step)"
          try device.journal.edit(id) { $0.content += "\n\(text)" }
          written.append((id, text))
        case 5 where !ids.isEmpty:
          let id = ids[draw(0..<ids.count)]
          try device.journal.delete(id)
          deleted.insert(id)
        case 6: clock.pass(.seconds(draw(0..<400)))
        default: _ = try? await device.engine.sync()
        }
      }
      vault.lie(nil)
      // More than ten may have been deleted, and a tenth of all: the user says yes.
      var yes = SyncOptions()
      yes.allowsDeletions = true
      for _ in 0..<5 {
        for device in devices { try await device.engine.sync(yes) }
      }
      let all = try devices.map { try $0.entries() }
      #expect(all[0] == all[1] && all[1] == all[2])
      let states = try devices.map { try $0.journal.syncStatus() }
      #expect(Set(states.map(\.fingerprint)).count == 1)
      #expect(states.allSatisfy { $0.pending == 0 && $0.missing == 0 && $0.damaged.isEmpty })
      // Every text is shown, or in the history of its entry or a copy of it.
      let copies = try devices[0].journal.list().map { try devices[0].journal.entry($0.id) }
      for (id, text) in written {
        let shown = copies.contains { $0.content.contains(text) }
        guard !shown else { continue }
        var texts: [String] = []
        for device in devices { texts += try Self.texts(device, id) }
        #expect(texts.contains { $0.contains(text) }, "\(text) is lost")
      }
      // What nobody deleted lives.
      let live = Set(copies.map(\.id))
      for (id, _) in written where !deleted.contains(id) { #expect(live.contains(id)) }
    }
  }

  private static func texts(_ device: TestDevice, _ id: ObjectID) throws -> [String] {
    try device.journal.history(id).filter { !$0.isDeletion && !$0.isDamaged }
      .map { try device.journal.entry(id, revision: $0.revision).content }
  }
}
