// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyFlow
import VaultProtocol
import VaultServer

let now = Timestamp(milliseconds: 1_800_000_000_000)

func randomData(_ count: Int) -> Data {
  var data = Data(capacity: count + 8)
  while data.count < count {
    withUnsafeBytes(of: UInt64.random(in: 0 ... .max)) { data.append(contentsOf: $0) }
  }
  return data.prefix(count)
}

func random16<P>() -> Bytes16<P> { Bytes16(number: .random(in: 0 ... .max)) }

func random32<P>() -> Bytes32<P> { exactly32(randomData(32)) }

func exactly32<P>(_ bytes: some Collection<UInt8>) -> Bytes32<P> {
  guard let value = Bytes32<P>(bytes) else { preconditionFailure("32 bytes") }
  return value
}

/// One user's vault in the store under measurement.
final class Vault: @unchecked Sendable {
  let store: any VaultStore
  let caller: Caller
  private(set) var seq: UInt64 = 1

  init(_ store: any VaultStore) async throws {
    self.store = store
    let account = NewAccount(
      user: random16(), nameKey: random32(), registrationHash: random32(),
      credential: Credential(secretsVersion: 1, profile: 2, record: randomData(192)),
      keys: KeyMaterial(
        passwordSlot: randomData(612),
        recovery: RecoveryKit(slot: randomData(612), publicKey: randomData(32)),
        keyring: randomData(612)),
      generation: 1, epoch: 1, commitID: random16(), head: randomData(612))
    guard try await store.createAccount(account, now: now) == .created,
      let found = try await store.account(named: account.nameKey)
    else { throw BareError(text: "no account") }
    caller = Caller(
      user: account.user, session: SessionID(number: .random(in: 0 ... .max)),
      tokenHash: random32())
    let session = NewSession(caller: caller, credentialVersion: found.credentialVersion)
    _ = try await store.createSession(session, now: now)
  }

  /// Commits new records with these blobs, which are hashed here as the client would have.
  func commit(_ revisions: [Revision]) async throws {
    let commit = Commit(
      id: random16(), baseSeq: seq, generation: 1, epoch: 1, revisions: revisions,
      head: randomData(612))
    let outcome = try await store.apply(commit, caller: caller, now: now)
    guard outcome == .accepted(seq: seq + 1) else { throw BareError(text: "\(outcome)") }
    seq += 1
  }

  /// New records with random blobs of `bytes`.
  static func revisions(_ count: Int, bytes: Int) -> [Revision] {
    (0..<count).map { _ in
      let blob = randomData(bytes)
      let hash = Digest(ofBlob: Array(blob).span).bytes
      return Revision(record: random16(), number: 1, blob: blob, hash: exactly32(hash))
    }
  }

  /// Reads the whole feed in pages of 4 MiB; gives the blobs' bytes.
  func readAll() async throws -> Int {
    var bytes = 0
    var cursor: FeedCursor?
    while true {
      let request = FeedRequest(cursor: cursor, headsFrom: nil, limit: 4 << 20, rowsOnly: false)
      let page = try await store.changes(request, caller: caller, now: now)
      for row in page.rows { bytes += row.blob?.count ?? 0 }
      cursor = page.cursor
      if !page.hasMore { return bytes }
    }
  }

  /// What a nothing-changed sync asks of the store.
  func readNothing() async throws {
    let cursor = FeedCursor(generation: 1, seq: seq, record: nil)
    let request = FeedRequest(cursor: cursor, headsFrom: seq, limit: 4 << 20, rowsOnly: false)
    let page = try await store.changes(request, caller: caller, now: now)
    guard page.rows.isEmpty else { throw BareError(text: "rows") }
  }
}
