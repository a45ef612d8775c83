// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium
import TestSupport
import Testing

/// The vectors of `keyflow/` for names, tokens, proofs and receipts.
@Suite struct AccountVectorTests {
  struct Input: Decodable {
    let name: String
    let server, accountName, password, accountCode: Hex
    let passwordInput, credentialIdentifier, passphraseInput: Hex?
  }

  @Test func `password inputs and names`() throws {
    for vector in try Vectors<Input>.load("password-input") {
      let server = try? ServerName(String(decoding: vector.server.bytes, as: UTF8.self))
      let account = try? AccountName(String(decoding: vector.accountName.bytes, as: UTF8.self))
      guard let expected = vector.passwordInput?.bytes else {
        #expect(server == nil || account == nil, "\(vector.name)")
        continue
      }
      let password = SecretBytes(vector.password.bytes)
      let code: AccountCode? =
        vector.accountCode.bytes.isEmpty
        ? nil : try AccountCode(typed: SecretBytes(vector.accountCode.bytes))
      let input = try PasswordInput(
        password: password, account: #require(account), server: #require(server), code: code
      ).secret.array()
      #expect(input == expected, "\(vector.name)")
      #expect(account?.credentialIdentifier == vector.credentialIdentifier?.bytes)
      let passphrase = try PasswordInput(exportPassphrase: password).secret.array()
      #expect(passphrase == vector.passphraseInput?.bytes, "\(vector.name)")
    }
  }

  struct Code: Decodable {
    let name, text: String
    let output: Hex?
  }

  @Test func `account codes`() throws {
    for vector in try Vectors<Code>.load("account-code") {
      let typed = SecretBytes(vector.text)
      if let output = vector.output?.bytes {
        let bytes = try AccountCode(typed: typed).withBytes { span in span.indices.map { span[$0] }
        }
        #expect(bytes == output, "\(vector.name)")
      } else {
        #expect(throws: CredentialError.accountCode, "\(vector.name)") {
          _ = try AccountCode(typed: typed)
        }
      }
    }
  }

  @Test func `a made account code reads as itself`() throws {
    let made = AccountCode.make().withBytes { span in span.indices.map { span[$0] } }
    let read = try AccountCode(typed: SecretBytes(made)).withBytes { span in
      span.indices.map { span[$0] }
    }
    #expect(made == read && made.count == 25)
  }

  struct Token: Decodable {
    let sessionKey, token, tokenHash: Hex
    let sessionId: UInt64
  }

  @Test func `session tokens`() throws {
    for vector in try Vectors<Token>.load("session-token") {
      let key = SecretBytes(vector.sessionKey.bytes)
      let token = SessionToken.derive(from: key, sessionID: vector.sessionId)
      let bytes = token.array()
      let hash = token.withBytes { SessionToken.hash($0) }
      #expect(bytes == vector.token.bytes)
      #expect(hash == vector.tokenHash.bytes)
    }
  }

  struct Proof: Decodable {
    let name: String
    let action: String?
    let server, uid, nonce, element, keyringEtag, requestHash, certificateHash, seed: Hex?
    let publicKey, message, signature: Hex
    let generation: UInt32?
    let seq: UInt64?

    func proof() throws -> RecoveryProof {
      let server = try ServerName(String(decoding: #require(server).bytes, as: UTF8.self))
      let scope = try RecoveryProof.Scope(
        server: server, uid: #require(uid).bytes, nonce: #require(nonce).bytes)
      return switch action {
      case "open": .open(scope, element: try #require(element).bytes)
      case "replace":
        try .replace(
          scope, keyringETag: #require(keyringEtag).bytes, requestHash: #require(requestHash).bytes)
      default:
        try .delete(
          scope, generation: #require(generation), sequence: #require(seq),
          certificateHash: #require(certificateHash).bytes)
      }
    }
  }

  @Test func `recovery proofs`() throws {
    let vectors = try Vectors<Proof>.load("recovery-proofs")
    let good = vectors.filter { $0.action != nil }
    #expect(good.map(\.action) == ["open", "replace", "delete"])
    for vector in good {
      let proof = try vector.proof()
      #expect(proof.message == vector.message.bytes, "\(vector.name)")
      let key = try Ed25519.SigningKey(seed: SecretBytes(#require(vector.seed).bytes))
      let signature = proof.signed(by: key)
      #expect(signature == vector.signature.bytes, "\(vector.name)")
      #expect(proof.isProved(by: signature, recoveryKey: vector.publicKey.bytes))
    }
  }

  @Test func `A9: a recovery signature proves nothing else`() throws {
    let vectors = try Vectors<Proof>.load("recovery-proofs")
    let good = try vectors.filter { $0.action != nil }.map { ($0, try $0.proof()) }
    for (index, (vector, _)) in good.enumerated() {
      for (other, (_, proof)) in good.enumerated() {
        let isProved = proof.isProved(
          by: vector.signature.bytes, recoveryKey: vector.publicKey.bytes)
        #expect(isProved == (index == other))
      }
    }
    for bad in vectors where bad.action == nil {
      #expect(
        !Ed25519.verify(bad.signature.bytes, of: bad.message.bytes, by: bad.publicKey.bytes),
        "\(bad.name)")
    }
  }

  @Test func `recovery proofs with ids of another length are refused`() throws {
    let server = try ServerName("vault.example")
    let id = [UInt8](repeating: 1, count: 16)
    let nonce = [UInt8](repeating: 2, count: 32)
    #expect(throws: KeyExchangeError.malformed) {
      try RecoveryProof.Scope(server: server, uid: nonce, nonce: nonce)
    }
    #expect(throws: KeyExchangeError.malformed) {
      try RecoveryProof.Scope(server: server, uid: id, nonce: id)
    }
    let scope = try RecoveryProof.Scope(server: server, uid: id, nonce: nonce)
    #expect(throws: KeyExchangeError.malformed) {
      try RecoveryProof.replace(scope, keyringETag: nonce, requestHash: nonce)
    }
    #expect(throws: KeyExchangeError.malformed) {
      try RecoveryProof.delete(scope, generation: 1, sequence: 1, certificateHash: id)
    }
  }

  struct Request: Decodable {
    let record, passwordSlot, recoverySlot, recoveryPublicKey, keyring, head, output: Hex
  }

  @Test func `request hashes`() throws {
    for vector in try Vectors<Request>.load("request-hash") {
      let hash = RecoveryProof.requestHash(
        record: vector.record.bytes, passwordSlot: vector.passwordSlot.bytes,
        recoverySlot: vector.recoverySlot.bytes, recoveryKey: vector.recoveryPublicKey.bytes,
        keyring: vector.keyring.bytes, head: vector.head.bytes)
      #expect(hash == vector.output.bytes)
    }
  }

  struct Receipt: Decodable {
    let name: String
    let seed, message: Hex?
    let publicKey, server, uid, certificateHash, receipt: Hex
    let generation: UInt32
    let lastSeq: UInt64
    let account: Bool?
    let records, revisions, commits, keyrings, sessions, bytes, time: UInt64?
    let error: String?
  }

  @Test func `deletion receipts`() throws {
    for vector in try Vectors<Receipt>.load("receipt") where vector.error == nil {
      let receipt = try receipt(vector)
      #expect(receipt.message == vector.message?.bytes, "\(vector.name)")
      let key = try Ed25519.SigningKey(seed: SecretBytes(#require(vector.seed).bytes))
      let signature = receipt.signed(by: key)
      #expect(receipt.message + signature == vector.receipt.bytes, "\(vector.name)")
      #expect(receipt.isSigned(by: signature, receiptKey: vector.publicKey.bytes))
    }
  }

  @Test func `a receipt with any field altered is not signed`() throws {
    let vector = try #require(try Vectors<Receipt>.load("receipt").first)
    let signature = Array(vector.receipt.bytes.suffix(64))
    let (good, key) = (try receipt(vector), vector.publicKey.bytes)
    var others: [DeletionReceipt] = []
    func alter(_ change: (inout DeletionReceipt.Counts) -> Void) throws {
      var counts = good.counts
      change(&counts)
      others.append(try copy(good, counts: counts))
    }
    for field in [
      \DeletionReceipt.Counts.records, \.revisions, \.commits, \.keyrings, \.sessions, \.bytes,
    ] {
      try alter { $0[keyPath: field] += 1 }
    }
    others += [
      try copy(good, server: ServerName("elsewhere.example")),
      try copy(good, uid: [UInt8](repeating: 9, count: 16)),
      try copy(good, generation: good.generation + 1),
      try copy(good, lastSequence: good.lastSequence + 1),
      try copy(good, includesAccount: !good.includesAccount),
      try copy(good, time: good.timeMilliseconds + 1),
      try copy(good, certificateHash: [UInt8](repeating: 9, count: 32)),
    ]
    #expect(good.isSigned(by: signature, receiptKey: key))
    for other in others { #expect(!other.isSigned(by: signature, receiptKey: key)) }
  }

  @Test func `a receipt under another signature or key is refused`() throws {
    let vector = try #require(try Vectors<Receipt>.load("receipt").first)
    let signature = Array(vector.receipt.bytes.suffix(64))
    let (good, key) = (try receipt(vector), vector.publicKey.bytes)
    for bit in 0..<512 {
      var flipped = signature
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!good.isSigned(by: flipped, receiptKey: key))
    }
    #expect(!good.isSigned(by: signature, receiptKey: [UInt8](repeating: 3, count: 32)))
    #expect(!good.isSigned(by: Array(signature.dropLast()), receiptKey: key))
    #expect(!good.isSigned(by: signature + [0], receiptKey: key))
    #expect(!good.isSigned(by: signature, receiptKey: []))
  }

  @Test func `every receipt that the vectors refuse is refused`() throws {
    let vectors = try Vectors<Receipt>.load("receipt").filter { $0.error == "signature" }
    #expect(vectors.count == 3)
    for vector in vectors {
      // The message is all but the signature; here it is checked as it came.
      let (message, signature) = (
        Array(vector.receipt.bytes.dropLast(64)), Array(vector.receipt.bytes.suffix(64))
      )
      #expect(!Ed25519.verify(signature, of: message, by: vector.publicKey.bytes), "\(vector.name)")
    }
  }

  /// `good` with some fields of another value.
  private func copy(
    _ good: DeletionReceipt, server: ServerName? = nil, uid: [UInt8]? = nil,
    generation: UInt32? = nil, lastSequence: UInt64? = nil, includesAccount: Bool? = nil,
    counts: DeletionReceipt.Counts? = nil, time: UInt64? = nil, certificateHash: [UInt8]? = nil
  ) throws -> DeletionReceipt {
    try DeletionReceipt(
      server: server ?? good.server, uid: uid ?? good.uid,
      generation: generation ?? good.generation, lastSequence: lastSequence ?? good.lastSequence,
      includesAccount: includesAccount ?? good.includesAccount, counts: counts ?? good.counts,
      timeMilliseconds: time ?? good.timeMilliseconds,
      certificateHash: certificateHash ?? good.certificateHash)
  }

  private func receipt(_ vector: Receipt) throws -> DeletionReceipt {
    var counts = DeletionReceipt.Counts()
    counts.records = try #require(vector.records)
    counts.revisions = try #require(vector.revisions)
    counts.commits = try #require(vector.commits)
    counts.keyrings = try #require(vector.keyrings)
    counts.sessions = try #require(vector.sessions)
    counts.bytes = try #require(vector.bytes)
    return try DeletionReceipt(
      server: ServerName(String(decoding: vector.server.bytes, as: UTF8.self)),
      uid: vector.uid.bytes, generation: vector.generation, lastSequence: vector.lastSeq,
      includesAccount: vector.account == true, counts: counts,
      timeMilliseconds: #require(vector.time), certificateHash: vector.certificateHash.bytes)
  }
}
