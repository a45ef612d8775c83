// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import Synchronization
import TestSupport
import Testing

/// The vectors of `keyflow/`: a registration and login in the KF1 profile, and what each side
/// refuses.
@Suite struct KF1VectorTests {
  typealias Vector = OPAQUEVectorTests.Vector

  private func login(profile: UInt8) throws -> Vector {
    try #require(
      try Vectors<Vector>.load("opaque-kf1").first { $0.context.bytes.last == profile })
  }

  private func loggingIn(_ vector: Vector, password: [UInt8]) throws -> OPAQUE.LoggingIn {
    let blind = try #require(vector.blindLogin).bytes
    return try OPAQUE.LoggingIn(
      password: SecretBytes(password), blind: Ristretto255.Scalar(blind.span),
      nonce: #require(vector.clientNonce).bytes,
      keyshareSeed: SecretBytes(#require(vector.clientKeyshareSeed).bytes))
  }

  private func registering(_ vector: Vector) throws -> OPAQUE.Registering {
    let blind = try #require(vector.blindRegistration).bytes
    return try OPAQUE.Registering(
      password: SecretBytes(#require(vector.password).bytes),
      blind: Ristretto255.Scalar(blind.span))
  }

  @Test(arguments: [Profile.one, .two])
  func `a registration and a login give the vectors' values`(profile: Profile) throws {
    let vector = try login(profile: profile.id)
    let stretching = CachedStretching(profile)
    let registering = try registering(vector)
    let request = registering.request
    let response = try vector.keys().respond(
      to: request, credentialIdentifier: vector.credentialIdentifier.bytes)
    #expect(response.bytes == vector.registrationResponse?.bytes)
    let registered = try registering.finish(
      response, identities: vector.identities, stretching: stretching,
      nonce: #require(vector.envelopeNonce).bytes)
    let record = registered.record
    #expect(record.bytes == vector.registrationUpload?.bytes)
    let loggingIn = try loggingIn(vector, password: #require(vector.password).bytes)
    let answer = try vector.respond(loggingIn.ke1, record)
    let ke2 = answer.ke2
    #expect(ke2.bytes == vector.ke2.bytes)
    let done = try loggingIn.finish(
      ke2, identities: vector.identities,
      attempts: [.init(context: vector.context.bytes, stretching: stretching)])
    let ke3 = done.ke3.bytes
    let keys = [done.exportKey.array(), done.sessionKey.array()]
    #expect(ke3 == vector.ke3?.bytes)
    #expect(keys[0] == vector.exportKey?.bytes)
    #expect(keys[1] == vector.sessionKey?.bytes)
  }

  struct ClientCase: Decodable {
    let name: String
    let profile: UInt8
    let password: Hex
    let ke2, registrationResponse: Hex?
    let error: String
  }

  @Test func `the client refuses what the vectors say`() throws {
    let vector = try login(profile: 1)
    let stretching = [
      1: CachedStretching(.one), 2: CachedStretching(.two), 3: CachedStretching(.three),
    ]
    let cases = try Vectors<ClientCase>.load("opaque-client")
    #expect(cases.count == 36)
    for refused in cases {
      let ksf = try #require(stretching[Int(refused.profile)])
      if let response = refused.registrationResponse?.bytes {
        #expect(throws: KeyExchangeError.malformed, "\(refused.name)") {
          try OPAQUE.RegistrationResponse(bytes: response)
        }
      } else {
        let bytes = try #require(refused.ke2).bytes
        let isMalformed = ["length", "identity", "encoding"].contains(refused.error)
        let loggingIn = try loggingIn(vector, password: refused.password.bytes)
        #expect(throws: isMalformed ? .malformed : KeyExchangeError.refused, "\(refused.name)") {
          _ = try loggingIn.finish(
            OPAQUE.KE2(bytes: bytes), identities: vector.identities,
            attempts: [
              .init(
                context: Array("KF1-OPAQUE-1".utf8) + [refused.profile], stretching: ksf)
            ])
        }
      }
    }
  }

  struct ServerCase: Decodable {
    let name: String
    let registrationRequest, ke1, ke3: Hex?
    let error: String
  }

  @Test func `the server refuses what the vectors say`() throws {
    let vector = try login(profile: 1)
    let loggingIn = try loggingIn(vector, password: #require(vector.password).bytes)
    let record = try OPAQUE.RegistrationRecord(bytes: #require(vector.registrationUpload).bytes)
    let state = try vector.respond(loggingIn.ke1, record)
    let cases = try Vectors<ServerCase>.load("opaque-server")
    #expect(cases.count == 19)
    for refused in cases {
      let expected =
        refused.error == "client-mac" ? KeyExchangeError.refused : KeyExchangeError.malformed
      #expect(throws: expected, "\(refused.name)") {
        if let bytes = refused.registrationRequest?.bytes {
          _ = try OPAQUE.RegistrationRequest(bytes: bytes)
        }
        if let bytes = refused.ke1?.bytes { _ = try OPAQUE.KE1(bytes: bytes) }
        if let bytes = refused.ke3?.bytes { _ = try state.state.finish(OPAQUE.KE3(bytes: bytes)) }
      }
    }
  }
}

/// Remembers what it stretched: most refusals differ only after the stretching.
private final class CachedStretching: KeyStretching {
  private let profile: Profile
  private let known = Mutex<[[UInt8]: [UInt8]]>([:])

  init(_ profile: Profile) { self.profile = profile }

  func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes {
    let input = secret.array()
    if let output = known.withLock({ $0[input] }) { return SecretBytes(output) }
    let output = try profile.stretch(secret)
    let bytes = output.array()
    known.withLock { $0[input] = bytes }
    return output
  }
}
