// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

@Suite struct ServerTests {
  @Test func `C1: an unknown name gets the same evaluation each time`() throws {
    let server = try Account.makeServer()
    let name = try AccountName("nobody")
    let login = try ClientLogin(
      Credentials(account: name, server: server.name, password: SecretBytes("x")))
    let answers = try (0..<2).map { _ in
      try server.answer(ke1: login.ke1, of: name, stored: nil).ke2.bytes
    }
    #expect(answers[0].prefix(32) == answers[1].prefix(32))
    #expect(answers[0].dropFirst(32).prefix(32) != answers[1].dropFirst(32).prefix(32))
  }

  @Test func `C1: registering a name does not change its evaluation`() throws {
    let account = try Account()
    let login = try account.login()
    let unknown = try account.server.answer(ke1: login.ke1, of: account.name, stored: nil)
    let fake = unknown.ke2.bytes
    let real = try account.ke2(for: login)
    #expect(fake.prefix(32) == real.prefix(32))
    #expect(fake.count == real.count)
  }

  @Test func `A4: two names with one password share nothing`() throws {
    let server = try Account.makeServer()
    let alice = try Account("alice", server: server)
    let bob = try Account("bob", server: server)
    let records = [alice.record.bytes, bob.record.bytes]
    for part in [0..<32, 32..<96, 96..<128, 128..<192] {
      #expect(records[0][part] != records[1][part])
    }
    #expect(alice.exportKey != bob.exportKey)
  }

  @Test func `A4: one blinded password gets another answer for each name`() throws {
    let account = try Account()
    let credentials = try Credentials(
      account: account.name, server: account.server.name, password: SecretBytes("one"))
    let request = try ClientRegistration(credentials).request
    let evaluations = try ["alice", "bobby", "carol"].map {
      try account.server.answer(registration: request, of: AccountName($0)).prefix(32)
    }
    #expect(Set(evaluations).count == 3)
  }

  @Test func `A5: without the OPRF seed the right password is not confirmed`() throws {
    let account = try Account()
    // The database is stolen, the secrets file is not: the thief runs the protocol on his own keys.
    let thief = try Account.makeServer()
    let login = try account.login()
    let answer = try thief.answer(ke1: login.ke1, of: account.name, stored: account.stored)
    expectRefused(login, answer.ke2.bytes)
  }

  @Test func `fake user ids are constant for a name and differ between names`() throws {
    let server = try Account.makeServer()
    let one = try server.fakeUID(of: AccountName("one"))
    #expect(try one == server.fakeUID(of: AccountName("one")))
    #expect(try one != server.fakeUID(of: AccountName("two")))
    #expect(one.count == 16)
  }

  struct Unknown: Decodable {
    let accountName, credentialIdentifier, oprfSeed, record, uid, ke1, ke2: Hex
  }

  @Test func `unknown names are answered as the vectors say`() throws {
    let login = try #require(try Vectors<OPAQUEVectorTests.Vector>.load("opaque-kf1").first)
    let vectors = try Vectors<Unknown>.load("opaque-unknown")
    #expect(vectors.count == 2)
    for vector in vectors {
      let name = try AccountName(String(decoding: vector.accountName.bytes, as: UTF8.self))
      let identity = try #require(login.serverIdentity).bytes
      let server = KeyExchangeServer(
        keys: try login.keys(), name: try ServerName(String(decoding: identity, as: UTF8.self)))
      #expect(name.credentialIdentifier == vector.credentialIdentifier.bytes)
      let record = server.fakeRecord(name.credentialIdentifier)
      #expect(record.bytes == vector.record.bytes)
      #expect(server.fakeUID(of: name) == vector.uid.bytes)
      let ke2 = try login.keys().respond(
        to: OPAQUE.KE1(bytes: vector.ke1.bytes), record: record,
        credentialIdentifier: name.credentialIdentifier,
        identities: .init(client: name.bytes, server: identity),
        context: Array("KF1-OPAQUE-1".utf8) + [2], maskingNonce: login.maskingNonce.bytes,
        serverNonce: login.serverNonce.bytes,
        keyshareSeed: SecretBytes(login.serverKeyshareSeed.bytes)
      ).ke2.bytes
      #expect(ke2 == vector.ke2.bytes)
    }
  }

  @Test func `server keys of a wrong form are refused`() throws {
    let order = try #require(
      [UInt8](hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"))
    for (seed, key) in [(63, [UInt8](repeating: 1, count: 32)), (64, order), (64, [1])] {
      #expect(throws: KeyExchangeError.malformed) {
        _ = try OPAQUE.ServerKeys(oprfSeed: .random(count: seed), privateKey: SecretBytes(key))
      }
    }
  }

  @Test func `a login state of another length is refused`() {
    for count in [0, 127, 129] {
      let bytes = [UInt8](repeating: 0, count: count)
      #expect(throws: KeyExchangeError.malformed) { _ = try OPAQUE.LoginState(bytes: bytes.span) }
    }
  }
}
