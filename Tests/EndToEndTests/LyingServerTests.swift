// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import KeyFlow
import SwiftProtobuf
import Testing
import VaultProtocol

/// A server that lies: each lie has its name, and nothing on the device changes by it.
@Suite struct LyingServerTests {
  /// Alters the feed's pages.
  private func feed(_ change: @escaping @Sendable (inout WireChanges) -> Void) -> TestVault.Fault {
    { request, honest in
      guard request.uri.path == Route.changes else { return nil }
      let answer = try await honest(request)
      guard answer.status == .ok else { return answer }
      var changes = try WireChanges(serializedBytes: try await answer.bytes())
      change(&changes)
      return .message(try changes.serializedBytes())
    }
  }

  /// B is in step, A has written `news` since; then B syncs with a server that tells `lie`.
  private func deceive(
    _ news: Int = 3, _ lie: @escaping TestVault.Fault, _ expected: JournalError,
    fault: SyncFault? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await deceive(news, lie, fault: fault, sourceLocation: sourceLocation) { error, _ in
      #expect(error == expected, sourceLocation: sourceLocation)
    }
  }

  /// As the other; `check` is given what the sync threw, and what A wrote since, in its order.
  private func deceive(
    _ news: Int = 3, _ lie: @escaping TestVault.Fault, fault: SyncFault? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ check: @escaping @Sendable (JournalError, [ObjectID]) throws -> Void
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let pair = try await Pair(at: server, ["one", "two"])
      try await pair.settle()
      try pair.b.journal.write(title: "mine", content: "waiting")
      let written = try (0..<news).map {
        try pair.a.journal.write(title: "n\($0)", content: "news").id
      }
      try await pair.a.engine.sync()
      let (entries, state) = (try pair.b.entries(), try pair.b.journal.state())
      vault.lie(lie)
      do {
        try await pair.b.engine.sync()
        Issue.record("the lie was believed", sourceLocation: sourceLocation)
      } catch let error as JournalError {
        try check(error, written)
      }
      vault.lie(nil)
      var after = try pair.b.journal.state()
      #expect(after.syncFault == fault, sourceLocation: sourceLocation)
      after.syncFault = nil
      #expect(after == state, sourceLocation: sourceLocation)
      #expect(try pair.b.entries() == entries, sourceLocation: sourceLocation)
      #expect(try pair.b.journal.syncStatus().pending == 1, sourceLocation: sourceLocation)
      // An honest server later finds everything as it was.
      try await pair.settle()
      #expect(try pair.agree(), sourceLocation: sourceLocation)
      #expect(try pair.a.entries().count == 3 + news, sourceLocation: sourceLocation)
      #expect(try pair.b.journal.syncStatus().fault == nil, sourceLocation: sourceLocation)
    }
  }

  @Test func `B2: a dropped record is incomplete`() async throws {
    try await deceive(3, feed { $0.records.removeLast() }, .incomplete, fault: .incomplete)
  }

  @Test func `B3: a doubled record under another id is named as the other one's`() async throws {
    let lie = feed { changes in
      guard var copy = changes.records.first else { return }
      copy.recordID[0] ^= 1
      changes.records.append(copy)
    }
    try await deceive(3, lie, fault: .incomplete) { error, written in
      guard case .altered(let entries) = error, entries.count == 1,
        case .swapped(let other)? = entries.first?.alteration
      else {
        Issue.record("\(error)")
        return
      }
      #expect(written.contains(other))
    }
  }

  @Test func `B1: swapped blobs are named, both`() async throws {
    let lie = feed { changes in
      let (first, second) = (changes.records[0], changes.records[1])
      changes.records[0].blob = second.blob
      changes.records[0].blobHash = second.blobHash
      changes.records[1].blob = first.blob
      changes.records[1].blobHash = first.blobHash
    }
    try await deceive(2, lie, fault: .incomplete) { error, written in
      let (one, other) = (written.min() ?? .make(), written.max() ?? .make())
      #expect(
        error
          == .altered(entries: [
            AlteredEntry(id: one, .swapped(with: other)),
            AlteredEntry(id: other, .swapped(with: one)),
          ]))
    }
  }

  @Test func `A1: a blob that was altered with its hash is named as tampered with`() async throws {
    let lie = feed { changes in
      var blob = [UInt8](changes.records[0].blob)
      blob[300] ^= 1
      changes.records[0].blob = Data(blob)
      changes.records[0].blobHash = Data(Digest(ofBlob: blob.span).bytes)
    }
    try await deceive(1, lie, fault: .incomplete) { error, written in
      #expect(error == .altered(entries: [AlteredEntry(id: written[0], .tampered)]))
    }
  }

  @Test func `B1: a state under another revision's number is named as turned back`() async throws {
    let lie = feed { $0.records[0].revision += 1 }
    try await deceive(1, lie, fault: .incomplete) { error, written in
      #expect(error == .altered(entries: [AlteredEntry(id: written[0], .turnedBack)]))
    }
  }

  @Test func `A1: an altered head is incomplete`() async throws {
    let lie = feed { changes in
      guard let last = changes.heads.indices.last else { return }
      changes.heads[last].blob[200] ^= 1
    }
    try await deceive(3, lie, .incomplete, fault: .incomplete)
  }

  @Test func `B2: a chain without the pinned head is forked`() async throws {
    let lie = feed { changes in changes.heads = changes.heads.suffix(1) }
    try await deceive(3, lie, .forked, fault: .forked)
  }

  @Test func `a feed without heads is incomplete`() async throws {
    try await deceive(3, feed { $0.heads = [] }, .incomplete, fault: .incomplete)
  }

  @Test func `B2: a smaller seq is rolled back`() async throws {
    let lie = feed { changes in
      changes.seq = 1
      changes.heads = []
      changes.records = []
    }
    try await deceive(3, lie, .rolledBack, fault: .rolledBack)
  }

  @Test func `B2: a lower generation is rolled back`() async throws {
    try await deceive(3, feed { $0.generation = 0 }, .rolledBack, fault: .rolledBack)
  }

  @Test func `B2: a higher generation waits for the user`() async throws {
    try await deceive(3, feed { $0.generation += 1 }, .newGeneration, fault: .newGeneration)
  }

  @Test func `A2: a higher epoch asks for the password and is not believed`() async throws {
    try await deceive(
      3, feed { $0.epoch += 1 }, .needsPassword(.newEpoch), fault: .needsPassword)
  }

  @Test func `an unasked reset to an empty vault names what is left out`() async throws {
    let lie: TestVault.Fault = { request, honest in
      guard request.uri.path == Route.changes else { return nil }
      let answer = try await honest(request)
      var changes = try WireChanges(serializedBytes: try await answer.bytes())
      changes.records = []
      changes.rows = Data()
      changes.reset = request.uri.queryParameters.get("cursor") != nil
      return .message(try changes.serializedBytes())
    }
    try await deceive(3, lie, fault: .incomplete) { error, _ in
      guard case .altered(let entries) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(entries.map(\.alteration) == [.leftOut, .leftOut])
    }
  }

  @Test func `C8: a deletion without a certificate is not believed`() async throws {
    let lie: TestVault.Fault = { _, _ in .problem(.gone) }
    try await deceive(3, lie, .untrustedDeletion, fault: .untrustedDeletion)
  }

  @Test func `C8: a deletion under a key of the server's own is not believed`() async throws {
    let lie: TestVault.Fault = { _, _ in
      let uid = ObjectID.make()
      let certificate = DeletionCertificate(
        generation: 9, lastSeq: 99, device: uid, time: 1)
      var deletion = WireDeletion()
      deletion.certificates = certificate.seal(
        under: Keyring(current: VaultKey.make(epoch: 1)), uid: uid
      ).map { sealed in
        var wire = WireCertificate()
        wire.epoch = sealed.epoch
        wire.blob = Data(sealed.blob)
        return wire
      }
      var details = WireProblemDetails()
      details.type = Problem.typePrefix + Problem.gone.rawValue
      details.status = 410
      details.deletion = deletion
      return Response(
        status: .gone, headers: [.contentType: MediaType.problem],
        body: ResponseBody(byteBuffer: ByteBuffer(string: try details.jsonString())))
    }
    try await deceive(3, lie, .untrustedDeletion, fault: .untrustedDeletion)
  }

  @Test func `garbage is no server`() async throws {
    try await deceive(3, { _, _ in .message([0xFF, 0xFF, 0xFF, 0xFF]) }, .notAServer)
  }

  @Test func `a page of a proxy is no server`() async throws {
    let lie: TestVault.Fault = { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/html"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: "<html>log in to the hotel</html>")))
    }
    try await deceive(3, lie, .notAServer)
  }

  @Test func `an endless answer is no server`() async throws {
    let lie: TestVault.Fault = { _, _ in
      Response(
        status: .ok, headers: [.contentType: MediaType.protobuf],
        body: ResponseBody { writer in
          let chunk = ByteBuffer(repeating: 0, count: 1 << 20)
          while true { try await writer.write(chunk) }
        })
    }
    try await deceive(3, lie, .notAServer)
  }

  @Test func `pages without an end are no server`() async throws {
    let lie = feed { changes in
      changes.more = true
      changes.records = []
    }
    try await deceive(3, lie, .notAServer)
  }

  @Test func `a server's mistake is named`() async throws {
    try await deceive(
      3, { _, _ in .problem(.internalError) }, .serverProblem(.internalError))
  }

  @Test func `a busy server is asked again, then named`() async throws {
    try await deceive(3, { _, _ in .problem(.unavailable) }, .serverProblem(.unavailable))
  }

  @Test func `a cut connection is offline`() async throws {
    try await deceive(3, { _, _ in .cut }, .offline(.cut))
  }

  @Test func `a server that is down is offline`() async throws {
    let vault = try TestVault()
    let b = try TestDevice()
    try await vault.serve { server in
      try await b.register(at: server)
    }
    try b.journal.write(title: "mine", content: "waiting")
    await #expect(throws: JournalError.offline(.noConnection)) { try await b.engine.sync() }
    #expect(try b.journal.syncStatus().pending == 1)
  }
}
