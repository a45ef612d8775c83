// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import Sodium
import TestSupport
import Testing

/// A13: what two keyboards write for one password is one password, and nothing else is.
@Suite struct PasswordTests {
  /// The part of an export's input behind "KF1-XP" and its length.
  private func normalForm(_ password: [UInt8]) throws(CredentialError) -> [UInt8] {
    let input = try PasswordInput(exportPassphrase: SecretBytes(password))
    return Array(input.secret.array().dropFirst(8))
  }

  struct Vector: Decodable {
    let name: String
    let input: Hex
    let output: Hex?
    let error: String?
  }

  @Test func `normal forms are those of the vectors`() throws {
    let vectors = try Vectors<Vector>.load("opaque-string")
    #expect(vectors.count == 29)
    for vector in vectors {
      if let output = vector.output?.bytes {
        #expect(try normalForm(vector.input.bytes) == output, "\(vector.name)")
      } else {
        #expect(throws: CredentialError.self, "\(vector.name)") {
          try normalForm(vector.input.bytes)
        }
      }
    }
  }

  /// What Foundation makes of text, by way of its decomposition: straight from U+AC00 U+11A8, which
  /// composes to U+AC01, Foundation 6.3 on Linux gives back both.
  private func foundationNormalForm(_ text: String) -> [UInt8] {
    Array(text.decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping.utf8)
  }

  @Test func `every character that decomposes is normalised as Foundation does it`() throws {
    let ranges: [ClosedRange<UInt32>] = [
      0x80...0x1FFF, 0x2100...0x33FF, 0xAC00...0xAF00, 0xF900...0xFFFF, 0x1_1000...0x1_1FFF,
      0x1_D100...0x1_D1FF, 0x2_F800...0x2_FA1F,
    ]
    var count = 0
    for scalar in ranges.joined().compactMap({ Unicode.Scalar($0) }) {
      let text = String(scalar)
      let decomposed = text.decomposedStringWithCanonicalMapping
      guard Array(decomposed.utf8) != Array(text.utf8) else { continue }
      count += 1
      let expected = foundationNormalForm(text)
      let forms = try [normalForm(Array(text.utf8)), normalForm(Array(decomposed.utf8))]
      if forms != [expected, expected] { Issue.record("U+\(String(scalar.value, radix: 16))") }
    }
    #expect(count > 2_500)
  }

  @Test func `random text is normalised as Foundation does it`() throws {
    var generator = SeededGenerator(for: "normalisation")
    let alphabet =
      Array(
        "aeo\u{300}\u{301}\u{323}\u{345}\u{5B0}\u{3099}\u{1100}\u{1161}\u{11A8}\u{AC00}\u{E9}"
          .unicodeScalars)
      + Array(
        "\u{1FC1}\u{3B1}\u{3B9}\u{9C7}\u{9BE}\u{1F468}\u{200D}\u{FE0F}\u{212B} か".unicodeScalars)
    for _ in 0..<2_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        text.unicodeScalars.append(alphabet.randomElement(using: &generator) ?? "a")
      }
      let expected = foundationNormalForm(text)
      if try normalForm(Array(text.utf8)) != expected {
        Issue.record("\(Array(text.utf8).hex)")
      }
    }
  }

  @Test func `A13: no byte of a long password is without effect`() throws {
    let password = [UInt8](repeating: UInt8(ascii: "x"), count: 1_024)
    var seen: Set<[UInt8]> = [try normalForm(password)]
    for index in password.indices {
      var other = password
      other[index] = 0
      seen.insert(try normalForm(other))
    }
    #expect(seen.count == 1_025)
  }

  @Test func `A13: NFC and NFD of one password log in`() throws {
    let account = try Account(password: "caf\u{E9} \u{1E69}")
    let login = try account.login(password: "cafe\u{301}\u{A0}s\u{307}\u{323}")
    let result = try login.finish(account.ke2(for: login), trying: Account.profiles)
    let exportKey = result.exportKey.array()
    #expect(exportKey == account.exportKey)
  }

  @Test func `case and width count`() throws {
    let account = try Account(password: "secret")
    for other in ["Secret", "ｓecret", "secret "] {
      let login = try account.login(password: other)
      expectRefused(login, try account.ke2(for: login))
    }
  }

  /// RFC 8264 and the contextual rules of RFC 5892.
  @Test(arguments: [
    "a\u{0}b", "a\nb", "\u{7F}", "a\u{AD}b", "\u{200B}", "\u{E000}", "\u{FFFF}", "\u{378}",
    "a\u{B7}a", "l\u{B7}", "\u{375}a", "a\u{5F3}", "\u{30FB}", "\u{660}\u{6F0}", "a\u{200D}b",
    "\u{640}", "\u{2028}", "\u{FEFF}x",
  ])
  func `a new password with such a character is refused`(password: String) {
    #expect(throws: CredentialError.passwordCharacter) {
      _ = try PasswordInput(newExportPassphrase: SecretBytes(password))
    }
  }

  @Test(arguments: [
    "correct horse", "pässwörd", "\u{3000}", "l\u{B7}l", "\u{375}\u{3B1}", "\u{5D0}\u{5F3}",
    "ア\u{30FB}", "\u{660}\u{661}", "\u{6F0}", "\u{915}\u{94D}\u{200D}", "한글", "\u{1100}\u{1161}",
    "🔑", "ß\u{3C2}",
    "ﬁ", "٪", "\u{1F468}",
  ])
  func `a new password with such characters is accepted`(password: String) throws {
    _ = try PasswordInput(newExportPassphrase: SecretBytes(password))
  }

  @Test func `a known password is never refused for its characters`() throws {
    #expect(try normalForm(Array("a\u{0}\u{378}".utf8)) == Array("a\u{0}\u{378}".utf8))
  }
}
