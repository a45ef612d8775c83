// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Synchronization
import Testing
import VaultProtocol

@Suite struct ReplayTests {
  @Test func `B8: a commit without an answer is sent again first, byte for byte`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.settle()
      try pair.a.journal.write(title: "two", content: "2")
      let bodies = Mutex<[[UInt8]]>([])
      let isCut = Mutex(true)
      vault.lie { request, honest in
        guard request.uri.path == Route.commits else { return nil }
        var request = request
        let body = try await request.collectBody(upTo: 8 << 20)
        bodies.withLock { $0.append(Array(body.readableBytesView)) }
        let answer = try await honest(request)
        return isCut.withLock { $0 } ? .cut : answer
      }
      await #expect(throws: JournalError.offline(.cut)) { try await pair.a.engine.sync() }
      isCut.withLock { $0 = false }
      vault.forgetRequests()
      try pair.a.journal.write(title: "three", content: "3")
      try await pair.a.engine.sync()
      #expect(vault.seen.first == "POST \(Route.commits)")
      let sent = bodies.withLock { $0 }
      #expect(Set(sent.dropLast()).count == 1 && sent.last != sent.first)
      vault.lie(nil)
      try await pair.settle()
      #expect(try pair.b.entries().count == 3)
    }
  }

  @Test func `C8: a certificate from before what was verified since is not believed`() async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      let kept = Mutex(WireDeletion())
      vault.lie { request, _ in
        guard request.method == .delete else { return nil }
        var request = request
        let body = try await request.collectBody(upTo: 8 << 20)
        let delete = try WireVaultDelete(serializedBytes: Array(body.readableBytesView))
        kept.withLock { $0.certificates = delete.certificates }
        return .problem(.internalError)
      }
      await #expect(throws: JournalError.serverProblem(.internalError)) {
        try await pair.a.engine.deleteCloudData(password: password())
      }
      vault.lie(nil)
      try pair.a.journal.write(title: "two", content: "changed my mind")
      try await pair.settle()
      vault.lie { _, _ in
        var details = WireProblemDetails()
        details.type = Problem.typePrefix + Problem.gone.rawValue
        details.status = 410
        details.deletion = kept.withLock { $0 }
        return Response(
          status: .gone, headers: [.contentType: MediaType.problem],
          body: ResponseBody(byteBuffer: ByteBuffer(string: try details.jsonString())))
      }
      await #expect(throws: JournalError.untrustedDeletion) { try await pair.b.engine.sync() }
      #expect(try pair.b.journal.syncStatus().isOn)
    }
  }

  @Test func `a device that never had the backup's states brings its newer ones back`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one"])
      try await pair.settle()
      let backup = try TestVault(copying: vault)
      let id = try #require(try pair.a.journal.list().first).id
      try pair.a.journal.edit(id) { $0.content = "newer" }
      try await pair.a.engine.sync()
      let c = try TestDevice()
      try await c.join(at: server)
      try await backup.serve { restored in
        try await c.engine.move(to: restored)
        try await c.engine.beginNewCopy(password: password())
        #expect(try c.entries() == ["one: newer"])
        try await pair.b.engine.move(to: restored)
        var options = SyncOptions()
        options.allowsNewGeneration = true
        try await pair.b.engine.sync(options)
        #expect(try pair.b.entries() == ["one: newer"])
      }
    }
  }
}
