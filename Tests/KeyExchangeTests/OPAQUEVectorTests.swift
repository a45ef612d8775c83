// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

/// RFC 9807, appendix C: the three sets over ristretto255.
@Suite struct OPAQUEVectorTests {
  struct Vector: Decodable, Sendable {
    let name: String
    let fake: Bool
    let context, credentialIdentifier, oprfSeed, serverPrivateKey, serverPublicKey: Hex
    let maskingNonce, serverNonce, serverKeyshareSeed: Hex
    let clientIdentity, serverIdentity, password, envelopeNonce, blindRegistration: Hex?
    let blindLogin, clientNonce, clientKeyshareSeed: Hex?
    let registrationRequest, registrationResponse, registrationUpload, exportKey: Hex?
    let clientPublicKey, maskingKey, ke1, ke3, sessionKey: Hex?
    let ke2: Hex

    var identities: OPAQUE.Identities {
      OPAQUE.Identities(client: clientIdentity?.bytes, server: serverIdentity?.bytes)
    }

    func keys() throws -> OPAQUE.ServerKeys {
      try OPAQUE.ServerKeys(
        oprfSeed: SecretBytes(oprfSeed.bytes), privateKey: SecretBytes(serverPrivateKey.bytes))
    }

    func respond(
      _ ke1: OPAQUE.KE1, _ record: OPAQUE.RegistrationRecord
    ) throws -> OPAQUE.LoginAnswer {
      try keys().respond(
        to: ke1, record: record, credentialIdentifier: credentialIdentifier.bytes,
        identities: identities, context: context.bytes, maskingNonce: maskingNonce.bytes,
        serverNonce: serverNonce.bytes, keyshareSeed: SecretBytes(serverKeyshareSeed.bytes))
    }
  }

  private func vectors(fake: Bool) throws -> [Vector] {
    try Vectors<Vector>.load("rfc/opaque").filter { $0.fake == fake }
  }

  @Test func `registration gives the values of the RFC`() throws {
    let real = try vectors(fake: false)
    #expect(real.count == 2)
    for vector in real {
      let blind = try #require(vector.blindRegistration).bytes
      let registering = try OPAQUE.Registering(
        password: SecretBytes(#require(vector.password).bytes),
        blind: Ristretto255.Scalar(blind.span))
      let request = registering.request.bytes
      #expect(request == vector.registrationRequest?.bytes)
      let keys = try vector.keys()
      let serverPublicKey = keys.publicKey.bytes
      #expect(serverPublicKey == vector.serverPublicKey.bytes)
      let response = keys.respond(
        to: registering.request, credentialIdentifier: vector.credentialIdentifier.bytes)
      #expect(response.bytes == vector.registrationResponse?.bytes)
      let registered = try registering.finish(
        response, identities: vector.identities, stretching: IdentityStretching(),
        nonce: #require(vector.envelopeNonce).bytes)
      let record = registered.record.bytes
      #expect(record == vector.registrationUpload?.bytes)
      let exportKey = registered.exportKey.array()
      #expect(exportKey == vector.exportKey?.bytes)
    }
  }

  @Test func `login gives the values of the RFC`() throws {
    for vector in try vectors(fake: false) {
      let blind = try #require(vector.blindLogin).bytes
      let loggingIn = try OPAQUE.LoggingIn(
        password: SecretBytes(#require(vector.password).bytes),
        blind: Ristretto255.Scalar(blind.span),
        nonce: #require(vector.clientNonce).bytes,
        keyshareSeed: SecretBytes(#require(vector.clientKeyshareSeed).bytes))
      let ke1 = loggingIn.ke1
      #expect(ke1.bytes == vector.ke1?.bytes)
      let record = try OPAQUE.RegistrationRecord(bytes: #require(vector.registrationUpload).bytes)
      let answer = try vector.respond(ke1, record)
      let ke2 = answer.ke2
      #expect(ke2.bytes == vector.ke2.bytes)
      let done = try loggingIn.finish(
        ke2, identities: vector.identities,
        attempts: [.init(context: vector.context.bytes, stretching: IdentityStretching())])
      let ke3 = done.ke3
      #expect(ke3.bytes == vector.ke3?.bytes)
      let clientKey = done.sessionKey.array()
      let exportKey = done.exportKey.array()
      let serverKey = try answer.state.finish(ke3).array()
      #expect(clientKey == vector.sessionKey?.bytes)
      #expect(exportKey == vector.exportKey?.bytes)
      #expect(serverKey == vector.sessionKey?.bytes)
    }
  }

  @Test func `a fake record gives the answer of the RFC`() throws {
    let fake = try vectors(fake: true)
    #expect(fake.count == 1)
    for vector in fake {
      let record = try OPAQUE.RegistrationRecord(
        bytes: #require(vector.clientPublicKey).bytes + #require(vector.maskingKey).bytes
          + [UInt8](repeating: 0, count: 96))
      let answer = try vector.respond(OPAQUE.KE1(bytes: #require(vector.ke1).bytes), record)
      let ke2 = answer.ke2.bytes
      #expect(ke2 == vector.ke2.bytes)
    }
  }
}
