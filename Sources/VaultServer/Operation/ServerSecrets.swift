// SPDX-License-Identifier: Apache-2.0
import KeyExchange
public import Sodium
public import VaultProtocol

/// What the server must keep secret and must not lose, in one file outside the database.
///
/// `"JVS1" ‖ u16 n ‖ server name (n) ‖ OPRF seed 64 ‖ OPAQUE key 32 ‖ receipt seed 32 ‖
/// name key 32 ‖ login-state key 32 ‖ invitation key 32`, mode 0600. Without it nobody can log in
/// any more, and a stolen database permits no guess at any password. Back it up apart from the
/// database.
public final class ServerSecrets: Sendable {
  /// The version that account records name.
  static let version: UInt8 = 1
  private static let magic = Array("JVS1".utf8)
  private static let keyBytes = 64 + 32 * 5

  /// OPAQUE's two secrets, with the server's name.
  let exchange: KeyExchangeServer
  /// Signs deletion receipts.
  let receiptKey: Ed25519.SigningKey
  private let nameHashKey: SecretBytes
  /// Seals what travels between the two requests of a login.
  let loginStateKey: SecretBytes
  private let invitationKey: SecretBytes

  /// The server's name, fixed at its first start: part of what clients stretch their password with.
  public var name: String { exchange.name.text }

  /// Reads the file at `path`; where there is none, makes one for a server called `name`.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - name: 1…255 of `[a-z0-9._:-]`; nothing takes the name in the file, or a random one.
  /// - Returns: The secrets in the file.
  /// - Throws: ``ServerSecretsError``.
  public static func load(
    path: String, name: String? = nil
  ) throws(ServerSecretsError) -> ServerSecrets {
    let random = "vault-" + Hex.encode(randomBytes(8))
    guard let newName = try? ServerName(name ?? random) else { throw .badName }
    do {
      return try read(path, name)
    } catch ServerSecretsError.file(.absent) {
      do throws(SecretFileError) {
        try SecretFile.create(path, make(name: newName))
      } catch .exists {
        // Another process was first; its secrets are the server's.
      } catch {
        throw .file(error)
      }
      return try read(path, name)
    }
  }

  /// Reads the file at `path`, which must be there.
  ///
  /// - Throws: ``ServerSecretsError``.
  public static func read(path: String) throws(ServerSecretsError) -> ServerSecrets {
    try read(path, nil)
  }

  private static func read(
    _ path: String, _ name: String?
  ) throws(ServerSecretsError) -> ServerSecrets {
    let bytes: SecretBytes
    do throws(SecretFileError) {
      bytes = try SecretFile.read(path, atMost: 4 + 2 + 255 + keyBytes)
    } catch {
      throw .file(error)
    }
    let secrets = try ServerSecrets(bytes)
    if let name, name != secrets.name { throw .otherName(secrets.name) }
    return secrets
  }

  /// New secrets for a server called `name`, as the file holds them.
  static func make(name: ServerName) -> SecretBytes {
    let opaque = OPAQUE.ServerKeys.make()
    let others = SecretBytes.random(count: 32 * 4, in: .heap)
    let head = magic + [0, UInt8(name.bytes.count)] + name.bytes
    return SecretBytes(count: head.count + keyBytes) { out in
      out.write(head)
      opaque.withBytes { out.write($0, at: head.count) }
      others.withBytes { out.write($0, at: head.count + opaque.count) }
    }
  }

  /// The secrets that `bytes`, a file's content, hold.
  ///
  /// - Throws: ``ServerSecretsError/damaged``.
  init(_ bytes: borrowing SecretBytes) throws(ServerSecretsError) {
    let head = Self.magic.count + 2
    guard bytes.count > head else { throw .damaged }
    let (magic, count) = bytes.withBytes { bytes in
      ((0..<4).map { bytes[$0] }, Int(bytes[4]) << 8 | Int(bytes[5]))
    }
    guard magic == Self.magic, bytes.count == head + count + Self.keyBytes else { throw .damaged }
    let name = String(
      decoding: bytes.withBytes { bytes in (head..<head + count).map { bytes[$0] } },
      as: UTF8.self)
    guard let name = try? ServerName(name) else { throw .damaged }
    let keys = head + count
    do {
      exchange = KeyExchangeServer(
        keys: try OPAQUE.ServerKeys(
          oprfSeed: bytes.slice(keys..<keys + 64), privateKey: bytes.slice(keys + 64..<keys + 96)),
        name: name)
    } catch {
      throw .damaged
    }
    receiptKey = Ed25519.SigningKey(seed: bytes.slice(keys + 96..<keys + 128))
    nameHashKey = bytes.slice(keys + 128..<keys + 160)
    loginStateKey = bytes.slice(keys + 160..<keys + 192)
    invitationKey = bytes.slice(keys + 192..<keys + 224)
  }

  /// The keyed hash under which the database knows an account's name.
  func nameKey(of name: AccountName) -> NameKey {
    let message = Array("vaultd-name-1".utf8) + name.bytes
    guard let key = NameKey(authentication(of: message).prefix(32)) else {
      preconditionFailure("a tag has 64 bytes")
    }
    return key
  }

  /// The keyed hash under which the database knows the account called `name`; nothing where that is
  /// no account's name.
  public func nameKey(ofAccount name: String) -> NameKey? {
    (try? AccountName(name)).map { nameKey(of: $0) }
  }

  /// What nobody else can make of `message`, 64 bytes; the message begins with what it is for.
  func authentication(of message: [UInt8]) -> [UInt8] {
    let tag = nameHashKey.withBytes { HMACSHA512.tag(message.span, key: $0) }
    return tag.withBytes { tag in tag.indices.map { tag[$0] } }
  }

  /// The invitation that lets `name` register where registration is by invitation.
  ///
  /// Good for that one name, so for one account; nothing has to be remembered of it.
  func invitation(for name: AccountName) -> String {
    let message = Array("vaultd-invitation-1".utf8) + name.bytes
    let tag = invitationKey.withBytes { HMACSHA512.tag(message.span, key: $0) }
    return Hex.encode(tag.withBytes { tag in (0..<16).map { tag[$0] } })
  }

  /// The invitation for the account called `name`; nothing where that is no account's name.
  public func invitation(forAccount name: String) -> String? {
    (try? AccountName(name)).map { invitation(for: $0) }
  }

  /// Whether `invitation` is the one for `name`.
  func isInvitation(_ invitation: String, for name: AccountName) -> Bool {
    constantTimeEqual(Array(invitation.utf8).span, Array(self.invitation(for: name).utf8).span)
  }
}

/// Why the server's secrets cannot be used.
public enum ServerSecretsError: Error, Equatable {
  /// The file is not there, not private, or cannot be read or written.
  case file(SecretFileError)
  /// The file is not of the form of this version.
  case damaged
  /// The server already has another name, this one.
  case otherName(String)
  /// A server's name has 1…255 of `[a-z0-9._:-]`.
  case badName
}
