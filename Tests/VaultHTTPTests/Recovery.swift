// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import VaultProtocol

/// A recovery by the holder of a kit, step by step, each message as it is sent.
struct Recovery: Sendable {
  var owner: Owner
  /// The server's name, as it is signed.
  var serverName: String
  var uid: [UInt8] = []
  /// The nonce of the next step.
  var nonce: [UInt8] = []
  var opened = WireRecoveryOpened()
  /// The registration record of the new password.
  var record = Data()

  /// The first step: a nonce for `owner`'s name.
  static func begun(_ owner: Owner) async throws -> Recovery {
    var recovery = Recovery(owner: owner, serverName: owner.web.serverName)
    let answer = try await recovery.start()
    try require(answer.status == 200, answer)
    let started = try answer.message(WireRecoveryStarted.self)
    recovery.uid = Array(started.uid)
    recovery.nonce = Array(started.nonce)
    return recovery
  }

  /// The first two steps: all that there is to recover, and the second nonce.
  static func opened(_ owner: Owner) async throws -> Recovery {
    var recovery = try await begun(owner)
    let registering = try OPAQUE.Registering(password: SecretBytes(owner.renewed.password))
    let answer = try await recovery.open(try recovery.opening(registering.request.bytes))
    try require(answer.status == 200, answer)
    recovery.opened = try answer.message(WireRecoveryOpened.self)
    recovery.nonce = Array(recovery.opened.nonce)
    let registered = try registering.finish(
      OPAQUE.RegistrationResponse(bytes: Array(recovery.opened.response)),
      identities: owner.identities, stretching: NoStretching())
    recovery.record = Data(registered.record.bytes)
    return recovery
  }

  func start() async throws -> Answer {
    var start = WireRecoveryStart()
    start.name = owner.name
    return try await owner.web.stranger.send(.post, Route.recovery, start)
  }

  private func scope() throws -> RecoveryProof.Scope {
    try .init(server: ServerName(serverName), uid: uid, nonce: nonce)
  }

  private func signed(_ proof: RecoveryProof) -> WireRecoveryProof {
    var wire = WireRecoveryProof()
    wire.uid = Data(uid)
    wire.nonce = Data(nonce)
    wire.signature = Data(proof.signed(by: owner.recoveryKey))
    return wire
  }

  /// The second step's message.
  func opening(_ request: [UInt8]? = nil) throws -> WireRecoveryOpen {
    let any = try OPAQUE.Registering(password: SecretBytes(owner.password)).request.bytes
    var open = WireRecoveryOpen()
    open.name = owner.name
    open.request = Data(request ?? any)
    open.proof = signed(.open(try scope(), element: Array(open.request)))
    return open
  }

  func open(_ open: WireRecoveryOpen) async throws -> Answer {
    try await owner.web.stranger.send(.post, Route.recoveryOpen, open)
  }

  /// A proof "replace" over `put`.
  func proof(over put: WireCredentialsPut, tag: [UInt8]? = nil) throws -> WireRecoveryProof {
    let hash = RecoveryProof.requestHash(
      record: Array(put.registrationRecord), passwordSlot: Array(put.slots.passwordSlot),
      recoverySlot: Array(put.slots.recoverySlot), recoveryKey: Array(put.slots.recoveryPublicKey),
      keyring: Array(put.slots.keyring), head: Array(put.commit.head))
    return signed(
      try .replace(
        try scope(), keyringETag: tag ?? Array(opened.keyringEtag), requestHash: hash))
  }

  /// A proof "delete" over `delete`.
  func proof(over delete: WireVaultDelete) throws -> WireRecoveryProof {
    let hash = try DeletionReceipt.certificateHash(of: delete.certificates.map { Array($0.blob) })
    return signed(
      try .delete(
        try scope(), generation: delete.generation, sequence: delete.seq, certificateHash: hash))
  }

  /// New credentials for `next`, who is the owner with another password and kit: a rotation, proved.
  func replacing(as next: Owner, _ change: (inout WireCredentialsPut) -> Void = { _ in }) throws
    -> WireCredentialsPut
  {
    var put = WireCredentialsPut()
    put.registrationRecord = record
    put.profile = 2
    put.slots = next.slots(withKit: true)
    put.generation = next.generation
    put.epoch = next.epoch
    put.commit = next.commit([], base: opened.vault.seq)
    change(&put)
    put.recovery = try proof(over: put)
    return put
  }

  /// Sends new credentials, without a session.
  func replace(_ put: WireCredentialsPut, tag: [UInt8]? = nil, by visitor: Visitor? = nil)
    async throws -> Answer
  {
    try await (visitor ?? owner.web.stranger).send(
      .put, Route.credentials, put, ifMatch(tag ?? Array(opened.keyringEtag)))
  }

  /// Sends a deletion, without a session.
  func delete(_ delete: WireVaultDelete, head: [UInt8]? = nil) async throws -> Answer {
    try await owner.web.stranger.send(
      .delete, Route.vault, delete, ifMatch(head ?? owner.headHash))
  }
}

extension Owner {
  /// The owner who has forgotten the password: another one, another kit, the next epoch.
  var renewed: Owner {
    var next = self
    next.password = "a password to be remembered"
    next.recoverySeed = randomBytes(32)
    next.epoch += 1
    return next
  }
}
