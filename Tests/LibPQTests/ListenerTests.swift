// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibPQ
import Testing

@Suite struct ListenerTests {
  @Test(.timeLimit(.minutes(1))) func `a notification arrives with its payload`() async throws {
    let configuration = try Configuration(url: TestDatabase.url())
    let channel = "Heads \"\(UUID().uuidString)\""
    var events = Listener(configuration, channels: [channel]).events().makeAsyncIterator()
    #expect(await events.next() == .listening)
    try await Pool(configuration).run(
      Statement("SELECT pg_notify($1::text, $2::text)", [.text(channel), .text("42")]))
    guard case .notified(let notification) = await events.next() else {
      Issue.record("no notification")
      return
    }
    #expect(notification.channel == channel)
    #expect(notification.payload == "42")
  }

  @Test(.timeLimit(.minutes(1))) func `a listener whose backend died listens again`() async throws {
    let name = "listener-" + UUID().uuidString
    let url = try TestDatabase.url() + "&application_name=\(name)"
    let listener = Listener(Configuration(url: url), channels: ["heads"])
    var events = listener.events().makeAsyncIterator()
    #expect(await events.next() == .listening)
    try await Pool(Configuration(url: TestDatabase.url())).run(
      Statement(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
        [.text(name)]))
    #expect(await events.next() == .interrupted(.connectionLost))
    #expect(await events.next() == .listening)
  }
}
