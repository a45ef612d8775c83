// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

@Suite struct LoginTests {
  @Test(arguments: [UInt8(1), 2, 3])
  func `a login ends with the same keys on both sides`(profile: UInt8) throws {
    let account = try Account(profile: profile)
    let login = try account.login()
    let answer = try account.server.answer(
      ke1: login.ke1, of: account.name, stored: account.stored)
    let result = try login.finish(answer.ke2.bytes, trying: Account.profiles)
    let ke3 = result.ke3
    let serverKey = try answer.state.finish(OPAQUE.KE3(bytes: ke3)).array()
    let clientKey = result.sessionKey.array()
    let exportKey = result.exportKey.array()
    let found = result.profile
    let pinned = result.serverKey
    #expect(serverKey == clientKey)
    #expect(exportKey == account.exportKey)
    #expect(found == Account.profile(profile))
    #expect(pinned == account.server.publicKey)
  }

  @Test func `two logins share the export key and not the session key`() throws {
    let account = try Account()
    let first = try account.login()
    let one = try first.finish(account.ke2(for: first), trying: Account.profiles)
    let second = try account.login()
    let two = try second.finish(account.ke2(for: second), trying: Account.profiles)
    let exportKeys = [one.exportKey.array(), two.exportKey.array()]
    let sessionKeys = [one.sessionKey.array(), two.sessionKey.array()]
    #expect(exportKeys[0] == exportKeys[1])
    #expect(sessionKeys[0] != sessionKeys[1])
  }

  @Test func `a repeated KE3 gives the same session key, from the state as it was sealed`() throws {
    let account = try Account()
    let login = try account.login()
    let answer = try account.server.answer(
      ke1: login.ke1, of: account.name, stored: account.stored)
    let result = try login.finish(answer.ke2.bytes, trying: Account.profiles)
    let ke3 = try OPAQUE.KE3(bytes: result.ke3)
    let sealed = answer.state.withBytes { span in span.indices.map { span[$0] } }
    let first = try OPAQUE.LoginState(bytes: sealed.span).finish(ke3).array()
    let second = try OPAQUE.LoginState(bytes: sealed.span).finish(ke3).array()
    let clientKey = result.sessionKey.array()
    #expect(first == second && first == clientKey)
  }

  @Test func `a wrong password is refused`() throws {
    let account = try Account()
    let login = try account.login(password: "correct hearse")
    expectRefused(login, try account.ke2(for: login))
  }

  @Test func `A10: another private key of the server is refused, though its OPRF seed is right`()
    throws
  {
    let seed = SecretBytes.random(count: 64).array()
    let account = try Account(server: Account.server(oprfSeed: seed))
    let swapped = try Account.server(oprfSeed: seed)
    let login = try account.login()
    let answer = try swapped.answer(ke1: login.ke1, of: account.name, stored: account.stored)
    expectRefused(login, answer.ke2.bytes)
  }

  @Test func `A3: a record under another profile than its own gets no KE3`() throws {
    let account = try Account()
    let login = try account.login()
    for profile: UInt8 in [0, 1, 3, 255] {
      let ke2 = try account.ke2(
        for: login, stored: .init(record: account.record, profile: profile))
      expectRefused(login, ke2, "profile \(profile)")
    }
  }

  @Test func `every altered byte of a stored record is refused`() throws {
    let account = try Account()
    let login = try account.login()
    for index in account.record.bytes.indices {
      var bytes = account.record.bytes
      bytes[index] ^= 1 << UInt8(index % 8)
      // Most altered public keys are none; the server refuses to read such a record.
      guard let record = try? OPAQUE.RegistrationRecord(bytes: bytes) else { continue }
      let ke2 = try account.ke2(for: login, stored: .init(record: record, profile: 2))
      expectRefused(login, ke2, trying: [Account.profile(2)], "byte \(index)")
    }
  }

  @Test func `A10: a registration with another key than the pinned one is refused`() throws {
    let account = try Account()
    let other = try Account.makeServer()
    let registration = try ClientRegistration(
      Credentials(account: account.name, server: other.name, password: SecretBytes("new")))
    let response = try other.answer(registration: registration.request, of: account.name)
    #expect(throws: KeyExchangeError.refused) {
      _ = try registration.finish(
        response, profile: Account.profiles[0], serverKey: account.server.publicKey)
    }
  }

  @Test func `C11: another account's record is refused`() throws {
    let server = try Account.makeServer()
    let alice = try Account("alice", server: server)
    let bob = try Account("bob", server: server)
    let login = try alice.login()
    expectRefused(login, try alice.ke2(for: login, stored: bob.stored))
  }

  @Test func `another account's answer is refused`() throws {
    let server = try Account.makeServer()
    let alice = try Account("alice", server: server)
    let bob = try Account("bob", server: server)
    let login = try alice.login()
    let answer = try server.answer(ke1: login.ke1, of: bob.name, stored: alice.stored)
    expectRefused(login, answer.ke2.bytes)
  }

  @Test func `an answer to another KE1 is refused`() throws {
    let account = try Account()
    let login = try account.login()
    let other = try account.login()
    expectRefused(login, try account.ke2(for: other))
  }

  @Test func `the answer for an unknown name is refused`() throws {
    let account = try Account()
    let login = try account.login()
    let answer = try account.server.answer(ke1: login.ke1, of: account.name, stored: nil)
    expectRefused(login, answer.ke2.bytes)
  }

  @Test func `every altered byte of a KE2 is refused`() throws {
    let account = try Account()
    let login = try account.login()
    let good = try account.ke2(for: login)
    for index in good.indices {
      var bad = good
      bad[index] ^= 1 << UInt8(index % 8)
      expectRefused(login, bad, "byte \(index)")
    }
    let result = try login.finish(good, trying: [Account.profile(2)])
    let ke3 = result.ke3
    #expect(ke3.count == 64)
  }

  @Test func `every truncation of a KE2 is refused`() throws {
    let account = try Account()
    let login = try account.login()
    let good = try account.ke2(for: login)
    for count in 0..<good.count { expectRefused(login, Array(good.prefix(count))) }
    expectRefused(login, good + [0])
  }

  @Test func `every altered byte of a KE3 is refused`() throws {
    let account = try Account()
    let login = try account.login()
    let answer = try account.server.answer(
      ke1: login.ke1, of: account.name, stored: account.stored)
    let good = try login.finish(answer.ke2.bytes, trying: Account.profiles).ke3
    for index in good.indices {
      var bad = good
      bad[index] ^= 1 << UInt8(index % 8)
      let ke3 = try OPAQUE.KE3(bytes: bad)
      #expect(throws: KeyExchangeError.refused) { _ = try answer.state.finish(ke3) }
    }
  }

  @Test func `a KE3 of another login is refused`() throws {
    let account = try Account()
    let first = try account.login()
    let ke3 = try OPAQUE.KE3(
      bytes: first.finish(account.ke2(for: first), trying: Account.profiles).ke3)
    let second = try account.login()
    let answer = try account.server.answer(
      ke1: second.ke1, of: account.name, stored: account.stored)
    #expect(throws: KeyExchangeError.refused) { _ = try answer.state.finish(ke3) }
  }

  @Test func `another server name or account name is refused`() throws {
    let account = try Account()
    let other = try ClientLogin(
      Credentials(
        account: account.name, server: ServerName("vault.example.org"),
        password: SecretBytes("correct horse")))
    expectRefused(other, try account.ke2(for: other))
  }
}

/// The client gives no KE3 for this answer, and says what it says of a wrong password.
func expectRefused(
  _ login: borrowing ClientLogin, _ ke2: [UInt8], trying profiles: [Profile] = Account.profiles,
  _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  do throws(KeyExchangeError) {
    _ = try login.finish(ke2, trying: profiles)
    Issue.record(what ?? "accepted", sourceLocation: sourceLocation)
  } catch {
    #expect(error == .refused, what, sourceLocation: sourceLocation)
  }
}
