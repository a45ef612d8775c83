// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTypes
import KeyExchange
import Sodium
import Testing
import VaultProtocol

@testable import VaultServer

/// The forgotten password, with the recovery kit.
@Suite struct RecoveryTests {
  @Test(arguments: [false, true])
  func `who holds the kit gets the slot, sets another password and goes on`(isJSON: Bool)
    async throws
  {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(isJSON ? visitor.json : visitor)
      _ = try await alice.push(alice.commit([record()]))
      let keyring = try await alice.web.send(.get, Route.keyring).message(WireKeyring.self)
      let recovery = try await Recovery.opened(alice)
      #expect(recovery.uid == alice.uid)
      #expect(recovery.opened.recoverySlot == keyring.slots.recoverySlot)
      #expect(recovery.opened.keyring == keyring.slots.keyring)
      #expect(recovery.opened.keyringEtag == keyring.keyringEtag)
      #expect(recovery.opened.vault.seq == 2 && recovery.opened.vault.head == alice.head)
      var next = alice.renewed
      let put = try recovery.replacing(as: next)
      let answer = try await recovery.replace(put)
      #expect(answer.status == 204 && answer.body.isEmpty)
      #expect(try await alice.web.send(.get, Route.vault).problem == .unauthorized)
      #expect(try await alice.logIn().problem == .unauthorized)
      let session = try await next.logIn()
      let created = try session.message(WireSessionCreated.self)
      #expect(created.epoch == 2 && created.passwordSlot == put.slots.passwordSlot)
      #expect(answer.headers[.eTag] == "\"\(Hex.encode(created.keyringEtag))\"")
      let state = try await next.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(state.seq == 3 && state.head == put.commit.head && state.records == 1)
      // The kit that was used is used up; the new one is good.
      await #expect(throws: Unexpected.self) { try await Recovery.opened(alice) }
      _ = try await Recovery.opened(next)
    }
  }

  @Test func `what one encoding proved, the other repeats`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let recovery = try await Recovery.opened(alice)
      let put = try recovery.replacing(as: alice.renewed)
      let first = try await recovery.replace(put, by: visitor.json)
      let again = try await recovery.replace(put, by: visitor)
      #expect(first.status == 204 && again.status == 204)
      #expect(first.headers[.eTag] == again.headers[.eTag])
    }
  }

  @Test func `an unknown name is answered like a known one`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let nobody = Owner(visitor, name: "nobody")
      let known = try await Recovery.begun(alice)
      let unknown = try await Recovery.begun(nobody)
      #expect(known.uid.count == 16 && unknown.uid.count == 16)
      #expect(known.nonce.count == 32 && unknown.nonce.count == 32)
      // The time in both nonces is the server's; what follows is random, or looks so.
      #expect(known.nonce.prefix(8) == unknown.nonce.prefix(8))
      let again = try await Recovery.begun(nobody)
      #expect(again.uid == unknown.uid && again.nonce != unknown.nonce)
      let other = try await Recovery.begun(Owner(visitor, name: "somebody"))
      #expect(other.uid != unknown.uid)
      // A proof by a key that is not the account's, and one for an account that is not there.
      var forged = known
      forged.owner.recoverySeed = randomBytes(32)
      let wrong = try await forged.open(try forged.opening())
      let absent = try await unknown.open(try unknown.opening())
      #expect(wrong.problem == .unauthorized)
      #expect(wrong.body == absent.body && wrong.headers == absent.headers)
      let starts = [try await known.start(), try await unknown.start()]
      #expect(starts[0].headers == starts[1].headers)
      #expect(starts[0].body.count == starts[1].body.count)
    }
  }

  /// What is wrong with a message of the second step.
  static let openFaults:
    [(String, @Sendable (inout Recovery) -> Void, @Sendable (inout WireRecoveryOpen) -> Void)] = [
      ("another server's name", { $0.serverName = "other" }, { _ in }),
      ("another uid", { $0.uid[0] ^= 1 }, { _ in }),
      ("a nonce of one's own", { $0.nonce = randomBytes(32) }, { _ in }),
      ("an altered nonce", { $0.nonce[31] ^= 1 }, { _ in }),
      ("a nonce with a later end", { $0.nonce[3] ^= 1 }, { _ in }),
      ("another key", { $0.owner.recoverySeed = randomBytes(32) }, { _ in }),
      ("an altered signature", { _ in }, { $0.proof.signature[0] ^= 1 }),
      ("a cut signature", { _ in }, { $0.proof.signature.removeLast() }),
      ("no signature", { _ in }, { $0.proof.signature = Data() }),
      ("another element", { _ in }, { $0.request = Data(randomBytes(32)) }),
      ("another's uid beside it", { _ in }, { $0.proof.uid = Data(randomBytes(16)) }),
      ("no uid", { _ in }, { $0.proof.uid = Data() }),
      ("another's name", { _ in }, { $0.name = "bob" }),
      ("nobody's name", { _ in }, { $0.name = "nobody" }),
    ]

  @Test(arguments: openFaults.indices)
  func `A9: a proof to open with one fault opens nothing`(index: Int) async throws {
    let (name, before, after) = Self.openFaults[index]
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      _ = try await Owner.joined(visitor, name: "bob")
      let good = try await Recovery.begun(alice)
      var recovery = good
      before(&recovery)
      var open = try recovery.opening()
      after(&open)
      #expect(try await recovery.open(open).problem == .unauthorized, "\(name)")
      // The nonce is not used up by it.
      #expect(try await good.open(try good.opening()).status == 200, "\(name)")
    }
  }

  @Test func `A9: a proof for one step is none for another`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let begun = try await Recovery.begun(alice)
      let opened = try await Recovery.opened(alice)
      // The first nonce does not replace, the second does not open.
      var early = opened
      early.nonce = begun.nonce
      #expect(
        try await early.replace(try early.replacing(as: alice.renewed)).problem == .unauthorized)
      #expect(try await opened.open(try opened.opening()).problem == .unauthorized)
      // A signature for "open" or "delete" is none for "replace".
      var put = try opened.replacing(as: alice.renewed)
      let delete = alice.deletion()
      put.recovery.signature = try opened.proof(over: delete).signature
      #expect(try await opened.replace(put).problem == .unauthorized)
      put.recovery.signature = try opened.opening().proof.signature
      #expect(try await opened.replace(put).problem == .unauthorized)
      var wrong = delete
      wrong.seq = 1
      wrong.recovery = try opened.replacing(as: alice.renewed).recovery
      #expect(try await opened.delete(wrong).problem == .unauthorized)
    }
  }

  @Test func `the first nonce is good for 10 minutes, the second for 30`() async throws {
    let server = try TestServer()
    try await server.run { visitor in
      let alice = try await Owner.joined(visitor)
      let late = try await Recovery.begun(alice)
      let good = try await Recovery.begun(alice)
      server.pass(.milliseconds(599_999))
      #expect(try await good.open(try good.opening()).status == 200)
      let opened = try await Recovery.opened(alice)
      server.pass(.milliseconds(1))
      #expect(try await late.open(try late.opening()).problem == .unauthorized)
      server.pass(.milliseconds(1_799_999))
      let put = try opened.replacing(as: alice.renewed)
      #expect(try await opened.replace(put).problem == .unauthorized)
      let second = try await Recovery.opened(alice)
      server.pass(.milliseconds(1_799_999))
      #expect(try await second.replace(try second.replacing(as: alice.renewed)).status == 204)
    }
  }

  @Test func `A9: a nonce is used once, but for the same request again`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let begun = try await Recovery.begun(alice)
      let open = try begun.opening()
      let first = try await begun.open(open)
      let again = try await begun.open(open)
      #expect(first.status == 200 && first.body == again.body)
      #expect(try await begun.open(try begun.opening()).problem == .unauthorized)

      let opened = try await Recovery.opened(alice)
      let put = try opened.replacing(as: alice.renewed)
      let stored = try await opened.replace(put)
      let repeated = try await opened.replace(put)
      #expect(stored.status == 204 && repeated.status == 204)
      #expect(stored.headers[.eTag] == repeated.headers[.eTag])
      let other = try opened.replacing(as: alice.renewed)
      #expect(try await opened.replace(other).problem == .unauthorized)
    }
  }

  /// What is wrong with new credentials after they were signed.
  static let replaceFaults: [(String, @Sendable (inout WireCredentialsPut) -> Void)] = [
    ("another record", { $0.registrationRecord[191] ^= 1 }),
    ("another password slot", { $0.slots.passwordSlot[9] ^= 1 }),
    ("another recovery slot", { $0.slots.recoverySlot[9] ^= 1 }),
    ("another recovery key", { $0.slots.recoveryPublicKey[9] ^= 1 }),
    ("another keyring", { $0.slots.keyring[9] ^= 1 }),
    ("another head", { $0.commit.head[9] ^= 1 }),
    ("an altered signature", { $0.recovery.signature[63] ^= 1 }),
    ("another's uid", { $0.recovery.uid[0] ^= 1 }),
    ("an altered nonce", { $0.recovery.nonce[31] ^= 1 }),
    ("no proof", { $0.clearRecovery() }),
    ("an empty proof", { $0.recovery = WireRecoveryProof() }),
  ]

  @Test(arguments: replaceFaults.indices)
  func `A9: new credentials other than the signed ones are not taken`(index: Int) async throws {
    let (name, fault) = Self.replaceFaults[index]
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let recovery = try await Recovery.opened(alice)
      let good = try recovery.replacing(as: alice.renewed)
      var put = good
      fault(&put)
      #expect(try await recovery.replace(put).problem == .unauthorized, "\(name)")
      #expect(try await recovery.replace(good).status == 204, "\(name)")
    }
  }

  @Test func `A9: a nonce and a proof of another account are none`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let bob = try await Owner.joined(visitor, name: "bob")
      let hers = try await Recovery.opened(alice)
      let his = try await Recovery.opened(bob)
      // Bob signs what Alice was given, and the other way round.
      var mixed = his
      mixed.nonce = hers.nonce
      #expect(
        try await mixed.replace(try mixed.replacing(as: bob.renewed)).problem == .unauthorized)
      mixed = his
      mixed.uid = hers.uid
      #expect(
        try await mixed.replace(try mixed.replacing(as: bob.renewed)).problem == .unauthorized)
      mixed = hers
      mixed.owner.recoverySeed = bob.recoverySeed
      let put = try mixed.replacing(as: bob.renewed)
      #expect(try await mixed.replace(put).problem == .unauthorized)
      #expect(try await alice.web.send(.get, Route.vault).status == 200)
    }
  }

  @Test func `a tag that was signed and is not the vault's any more fails, and costs nothing`()
    async throws
  {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      let recovery = try await Recovery.opened(alice)
      let put = try recovery.replacing(as: alice.renewed)
      var change = WireKeyringPut()
      change.slots = alice.slots(withKit: false)
      change.generation = 1
      change.epoch = 1
      change.commit = alice.commit([])
      let changed = try await alice.web.send(
        .put, Route.keyring, change, ifMatch(alice.keyringTag))
      #expect(changed.status == 204)
      let stale = try await recovery.replace(put)
      #expect(stale.problem == .preconditionFailed && stale.details?.vault.seq == 2)
      // The tag that counts is the signed one.
      _ = try await alice.logIn()
      #expect(
        try await recovery.replace(put, tag: alice.keyringTag).problem == .unauthorized)
      // The nonce is still good: seal anew, sign anew.
      var again = recovery
      again.opened.keyringEtag = Data(alice.keyringTag)
      again.opened.vault.seq = 2
      #expect(try await again.replace(try again.replacing(as: alice.renewed)).status == 204)
    }
  }

  @Test func `a recovery that is no rotation is malformed`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let recovery = try await Recovery.opened(alice)
      let faults: [@Sendable (inout WireCredentialsPut) -> Void] = [
        { $0.clearCommit() },
        {
          $0.epoch = 1
          $0.commit.epoch = 1
        },
        {
          $0.slots.recoverySlot = Data()
          $0.slots.recoveryPublicKey = Data()
        },
      ]
      for (index, fault) in faults.enumerated() {
        let put = try recovery.replacing(as: alice.renewed, fault)
        #expect(try await recovery.replace(put).problem == .malformed, "\(index)")
      }
      #expect(try await recovery.replace(try recovery.replacing(as: alice.renewed)).status == 204)
    }
  }

  @Test func `a new beginning is made with the kit of the backup's time`() async throws {
    try await TestServer().run { visitor in
      var alice = try await Owner.joined(visitor)
      _ = try await alice.push(alice.commit([record()]))
      let recovery = try await Recovery.opened(alice)
      var next = alice.renewed
      next.generation = 7
      let put = try recovery.replacing(as: next) { put in
        put.mode = .newBeginning
        put.commit.baseSeq = 0
        put.headHash = Data(alice.headHash)
      }
      #expect(try await recovery.replace(put).status == 204)
      _ = try await next.logIn()
      let state = try await next.web.send(.get, Route.vault).message(WireVaultState.self)
      #expect(state.generation == 7 && state.epoch == 2 && state.seq == 1 && state.records == 1)
    }
  }

  @Test func `the cloud data can be deleted with the kit, and the receipt had again`() async throws
  {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      let recovery = try await Recovery.opened(alice)
      var delete = alice.deletion(account: true)
      delete.seq = 2
      delete.recovery = try recovery.proof(over: delete)
      #expect(try await recovery.delete(delete).problem == .preconditionFailed)
      delete.seq = 1
      #expect(try await recovery.delete(delete).problem == .unauthorized)
      delete.recovery = try recovery.proof(over: delete)
      let stale = try await recovery.delete(delete, head: randomBytes(32))
      #expect(stale.problem == .preconditionFailed)
      var altered = delete
      altered.certificates[0].blob[7] ^= 1
      #expect(try await recovery.delete(altered).problem == .unauthorized)
      let first = try await recovery.delete(delete)
      #expect(try first.message(WireReceipt.self).account)
      let again = try await recovery.delete(delete)
      #expect(again.status == 200 && again.body == first.body)
      #expect(
        try await alice.web.send(.get, Route.vault).details?.deletion.certificates
          == delete.certificates)
      await #expect(throws: Unexpected.self) { try await Recovery.opened(alice) }
    }
  }

  @Test func `after a deletion there is no kit, and its name looks unknown`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      _ = try await alice.web.send(.delete, Route.vault, alice.deletion(), ifMatch(alice.headHash))
      let recovery = try await Recovery.begun(alice)
      #expect(try await recovery.open(try recovery.opening()).problem == .unauthorized)
    }
  }

  @Test func `recoveries draw on the name's bucket, and give back when they succeed`() async throws
  {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      for _ in 0..<12 { _ = try await Recovery.opened(alice) }
      var forged = try await Recovery.begun(alice)
      forged.owner.recoverySeed = randomBytes(32)
      for _ in 0..<10 {
        #expect(try await forged.open(try forged.opening()).problem == .unauthorized)
      }
      #expect(try await forged.open(try forged.opening()).problem == .tooManyRequests)
      await #expect(throws: Unexpected.self) { _ = try await alice.beginLogin() }
      await #expect(throws: Unexpected.self) { _ = try await Recovery.opened(alice) }
    }
  }

  @Test func `strangers' bodies and nonces are few`() async throws {
    let server = try TestServer { $0.addressRate = .init(burst: 2, interval: .seconds(60)) }
    try await server.run { visitor in
      let nobody = Owner(visitor, name: "nobody")
      var recovery = try await Recovery.begun(nobody)
      recovery.opened.keyringEtag = Data(randomBytes(32))
      let put = try recovery.replacing(as: nobody)
      _ = try await recovery.replace(put)
      #expect(try await recovery.replace(put).problem == .tooManyRequests)
      #expect(try await recovery.delete(nobody.deletion()).problem == .tooManyRequests)
      #expect(try await recovery.start().problem == .tooManyRequests)
    }
  }

  @Test func `bad names, points and nonces are malformed`() async throws {
    try await TestServer().run { visitor in
      let alice = try await Owner.joined(visitor)
      var start = WireRecoveryStart()
      for name in ["", "ab", "Alice", "älice"] {
        start.name = name
        #expect(try await visitor.send(.post, Route.recovery, start).problem == .malformed)
      }
      let recovery = try await Recovery.begun(alice)
      for element in [[], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0xFF, count: 32)] {
        #expect(try await recovery.open(try recovery.opening(element)).problem == .malformed)
      }
      var open = try recovery.opening()
      open.proof.nonce.removeLast()
      #expect(try await recovery.open(open).problem == .malformed)
    }
  }
}
