// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import KeyExchange
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// The main job, request by request, in both formats.
@Suite struct MainJobTests {
  @Test(arguments: [false, true])
  func `an account is made, filled, read, emptied`(isJSON: Bool) async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let visitor = isJSON ? visitor.json : visitor
      var alice = try await Owner.joined(visitor)
      let (first, second) = (record(), record())
      #expect(try await alice.push(alice.commit([first, second])).status == 200)
      #expect(alice.seq == 2)

      let vault = try await alice.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(vault.seq == 2 && vault.head == alice.head && vault.records == 2)

      let page = try await alice.web.send(.get, Route.changes).message(WireChanges.self)
      #expect(Set(page.records.map(\.blob)) == [first.blob, second.blob])
      #expect(page.heads.last?.blob == alice.head && !page.more && !page.reset)

      var fetch = WireRecordsFetch()
      fetch.rows = first.recordID + first.blobHash + second.recordID + first.blobHash
      let fetched = try await alice.web.send(.post, Route.recordsFetch, fetch)
        .message(WireRecordsFetched.self)
      #expect(fetched.records.map(\.blob) == [first.blob])
      #expect(fetched.moved == [second.recordID] && fetched.answered == 2)

      let delete = try await alice.web.send(
        .delete, Route.vault, alice.deletion(), ifMatch(alice.headHash))
      #expect(try delete.message(WireReceipt.self).records == 2)
      let gone = try await alice.web.send(.get, Route.vault)
      #expect(gone.problem == .gone)
      #expect(gone.details?.deletion.receipt == (try delete.message(WireReceipt.self)))
    }
  }
}
