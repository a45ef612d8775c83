// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import Synchronization
import TestSupport
import Testing

@Suite struct ProfileTests {
  @Test func `A3: the table is this and nothing else`() {
    #expect(Profile.table.map(\.id) == [2, 1, 3])
    #expect(Profile.table.map(\.cost.memoryKiB) == [262_144, 65_536, 1_048_576])
    #expect(Profile.table.map(\.cost.passes) == [3, 3, 4])
    for id in UInt8.min...UInt8.max {
      #expect(Profile(id: id)?.id == ((1...3).contains(id) ? id : nil))
    }
  }

  struct Vector: Decodable {
    let name: String
    let profile: UInt8
    let memoryKiB, passes: Int?
    let password, salt: Hex
    let output: Hex?
  }

  @Test func `profiles 1 and 2 give the vectors' values`() throws {
    for vector in try Vectors<Vector>.load("argon2id") where vector.profile != 3 {
      let profile = Profile(id: vector.profile)
      #expect(profile?.cost.memoryKiB == vector.memoryKiB)
      #expect(profile?.cost.passes == vector.passes)
      guard let profile else { continue }
      let output = try profile.derive(
        from: SecretBytes(vector.password.bytes), salt: vector.salt.bytes
      ).array()
      #expect(output == vector.output?.bytes, "\(vector.name)")
    }
  }

  @Test(arguments: [UInt8(0), 1, 3, 255])
  func `A3: a server that runs another profile gets no KE3`(profile: UInt8) throws {
    let account = try Account(profile: 2)
    let lie = KeyExchangeServer.StoredPassword(record: account.record, profile: profile)
    let login = try account.login()
    let ke2 = try account.ke2(for: login, stored: lie)
    expectRefused(login, ke2, trying: [Account.profile(2)])
    expectRefused(login, ke2, trying: Account.profiles)
  }

  @Test func `a device that tries only another profile is refused`() throws {
    let account = try Account(profile: 3)
    let login = try account.login()
    expectRefused(login, try account.ke2(for: login), trying: [Account.profile(2)])
  }

  @Test func `A5: a guess costs one stretching, or one for each profile tried`() throws {
    let password = SecretBytes("guess")
    let keys = try OPAQUE.ServerKeys(
      oprfSeed: .random(count: 64), privateKey: SecretBytes([1] + [UInt8](repeating: 0, count: 31)))
    let registering = try OPAQUE.Registering(password: SecretBytes("the password"))
    let response = keys.respond(to: registering.request, credentialIdentifier: [1])
    let record = try registering.finish(
      response, identities: .init(), stretching: IdentityStretching()
    ).record
    let login = try OPAQUE.LoggingIn(password: password)
    let ke2 = keys.respond(
      to: login.ke1, record: record, credentialIdentifier: [1], identities: .init(), context: []
    ).ke2
    for count in 1...3 {
      let counting = CountingStretching()
      let attempts = (0..<count).map { _ in
        OPAQUE.LoggingIn.Attempt(context: [], stretching: counting)
      }
      #expect(throws: KeyExchangeError.refused) {
        _ = try login.finish(ke2, identities: .init(), attempts: attempts)
      }
      #expect(counting.count == count)
    }
  }

  @Test func `too little memory for a profile is an error of its own`() throws {
    let account = try Account(profile: 2)
    let huge = Profile(id: 3, cost: Argon2id(passes: 1, memoryKiB: 1 << 32))
    let wrong = try account.login(password: "wrong")
    let ke2 = try account.ke2(for: wrong)
    #expect(throws: KeyExchangeError.outOfMemory(kibibytes: 1 << 32)) {
      _ = try wrong.finish(ke2, trying: [huge, Account.profile(1)])
    }
  }

  @Test func `too little memory for one profile does not keep another from fitting`() throws {
    let account = try Account(profile: 1)
    let huge = Profile(id: 2, cost: Argon2id(passes: 1, memoryKiB: 1 << 32))
    let login = try account.login()
    let found = try login.finish(
      account.ke2(for: login), trying: [huge, Account.profile(1)]
    ).profile
    #expect(found.id == 1)
  }
}

private final class CountingStretching: KeyStretching {
  private let calls = Mutex(0)
  var count: Int { calls.withLock { $0 } }

  func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes {
    calls.withLock { $0 += 1 }
    return secret.slice(0..<secret.count)
  }
}
