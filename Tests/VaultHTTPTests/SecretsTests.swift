// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import Testing
import TestSupport
import VaultProtocol

@testable import VaultServer

/// The file of the server's own secrets.
@Suite struct SecretsTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = try TestFolder.make("secrets")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "server.secrets").path)
  }

  @Test func `the second start finds what the first made`() throws {
    try inFolder { path in
      let first = try ServerSecrets.load(path: path)
      let second = try ServerSecrets.load(path: path)
      #expect(first.name == second.name && first.name.hasPrefix("vault-"))
      #expect(first.exchange.publicKey == second.exchange.publicKey)
      #expect(first.receiptKey.publicKey == second.receiptKey.publicKey)
      let name = try AccountName("alice")
      #expect(first.nameKey(of: name) == second.nameKey(of: name))
      #expect(first.invitation(forAccount: "alice") == second.invitation(forAccount: "alice"))
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let folder = (path as NSString).deletingLastPathComponent
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }
  }

  @Test func `two servers have nothing in common`() throws {
    try inFolder { first in
      try inFolder { second in
        let (one, other) = (
          try ServerSecrets.load(path: first), try ServerSecrets.load(path: second)
        )
        #expect(one.name != other.name)
        #expect(one.exchange.publicKey != other.exchange.publicKey)
        #expect(one.invitation(forAccount: "alice") != other.invitation(forAccount: "alice"))
      }
    }
  }

  @Test func `the name is for good`() throws {
    try inFolder { path in
      let first = try ServerSecrets.load(path: path, name: "home")
      #expect(first.name == "home")
      #expect(throws: ServerSecretsError.otherName("home")) {
        try ServerSecrets.load(path: path, name: "work")
      }
      let again = try ServerSecrets.load(path: path, name: "home")
      #expect(again.name == "home")
      #expect(throws: ServerSecretsError.badName) {
        try ServerSecrets.load(path: path, name: "A b")
      }
    }
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o666, 0o620, 0o602])
  func `a file that others can reach is refused`(mode: Int) throws {
    try inFolder { path in
      _ = try ServerSecrets.load(path: path)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      #expect(throws: ServerSecretsError.file(.exposed)) { try ServerSecrets.load(path: path) }
    }
  }

  @Test func `a link is not followed`() throws {
    try inFolder { path in
      _ = try ServerSecrets.load(path: path)
      try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
      #expect(throws: ServerSecretsError.file(.exposed)) {
        try ServerSecrets.load(path: path + ".link")
      }
    }
  }

  @Test func `a file cut at any length is refused, and stays as it is`() throws {
    let whole = ServerSecrets.make(name: try ServerName("home")).array()
    for length in stride(from: 1, to: whole.count, by: 9) {
      #expect(throws: ServerSecretsError.damaged) {
        try ServerSecrets(SecretBytes(Array(whole[..<length])))
      }
    }
    #expect(throws: ServerSecretsError.damaged) { try ServerSecrets(SecretBytes(whole + [0])) }
    var other = whole
    other[3] ^= 1
    #expect(throws: ServerSecretsError.damaged) { try ServerSecrets(SecretBytes(other)) }
    #expect(try ServerSecrets(SecretBytes(whole)).name == "home")
    try inFolder { path in
      try Data().write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      #expect(throws: ServerSecretsError.file(.wrongSize)) { try ServerSecrets.load(path: path) }
    }
  }

  @Test func `what is there is never overwritten`() throws {
    try inFolder { path in
      try SecretFile.create(path, SecretBytes("first"))
      #expect(throws: SecretFileError.exists) { try SecretFile.create(path, SecretBytes("second")) }
      #expect(try SecretFile.read(path, atMost: 10).array() == Array("first".utf8))
      #expect(throws: SecretFileError.wrongSize) { _ = try SecretFile.read(path, atMost: 4) }
      #expect(throws: SecretFileError.absent) { _ = try SecretFile.read(path + "x", atMost: 4) }
    }
  }
}
