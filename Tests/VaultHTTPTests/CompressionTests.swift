// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Testing
import VaultProtocol

@testable import VaultServer

/// Nothing is compressed on its way: lengths would tell what texts have in common.
@Suite struct CompressionTests {
  @Test func `B5: an answer is as long as its content, whatever the client would unpack`()
    async throws
  {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit((0..<20).map { _ in record() }))
      for path in [Route.server, Route.vault, Route.keyring, Route.changes] {
        let plain = try await alice.web.send(.get, path)
        let greedy = try await alice.web.send(
          .get, path, nil, [.acceptEncoding: "gzip, deflate, br, zstd"])
        #expect(greedy.status == 200 && greedy.headers[.contentEncoding] == nil)
        #expect(greedy.headers[.contentType] == plain.headers[.contentType])
        #expect(greedy.body == plain.body)
      }
    }
  }
}
