// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import VaultProtocol

@testable import VaultServer

/// The kept bodies, and changes of them, on every route that reads one.
@Suite struct CorpusTests {
  @Test(arguments: [false, true])
  func `B10: no kept body, and no change of one, brings a 500 or a crash`(isJSON: Bool) async throws
  {
    var random = SeededGenerator(for: "B10 bodies' corpus, isJSON \(isJSON)")
    var bodies: [(name: String, bytes: [UInt8])] = []
    for input in try Corpus.inputs("http") {
      bodies.append((input.name, input.bytes))
      for _ in 0..<2 { bodies.append((input.name, random.changed(input.bytes))) }
    }
    let sent = bodies
    let free = TokenBuckets.Rate(burst: 1_000_000, interval: .seconds(1))
    let server = try TestServer {
      $0.nameRate = free
      $0.addressRate = free
    }
    try await server.run { visitor in
      var alice = try await Owner.joined(visitor)
      alice.web.isJSON = isJSON
      for route in RouteCase.all where route.readsBody {
        for body in sent {
          let answer = try await alice.web.send(
            route.method, route.path, body: body.bytes, ifMatch([UInt8](repeating: 7, count: 32)))
          #expect(
            answer.status < 300 || (answer.problem != nil && answer.problem != .internalError),
            "\(route.testDescription) \(answer.status) \(body.name)")
        }
      }
      #expect(try await visitor.send(.get, Route.ready).status == 200)
    }
  }
}
