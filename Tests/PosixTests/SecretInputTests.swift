// SPDX-License-Identifier: Apache-2.0
import Foundation
import Posix
import Sodium
import Testing

@Suite struct SecretInputTests {
  /// What is read of a file with `bytes`.
  private func line(_ bytes: [UInt8]) throws -> [UInt8] {
    let file = URL(filePath: NSTemporaryDirectory()).appending(path: UUID().uuidString)
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try SecretInput.line(ofFile: file.path).withBytes { span in span.indices.map { span[$0] }
    }
  }

  @Test(arguments: [
    ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("a\nb\n", "a"),
    ("", ""), ("\n", ""), (" with spaces \n", " with spaces "), ("Grüße ☕\n", "Grüße ☕"),
  ])
  func `the first line is read, without its end`(_ file: String, _ secret: String) throws {
    #expect(try line(Array(file.utf8)) == Array(secret.utf8))
  }

  @Test func `the longest secret is read whole`() throws {
    let secret = [UInt8](repeating: 0x61, count: SecretInput.limit)
    #expect(try line(secret) == secret)
  }

  @Test func `a longer one is refused`() {
    #expect(throws: SecretInput.Failure.tooLong) {
      try line([UInt8](repeating: 0x61, count: SecretInput.limit + 1))
    }
  }

  @Test func `an absent file is an error of the system`() {
    #expect(throws: SecretInput.Failure.system(SystemError(call: "open", code: ENOENT))) {
      _ = try SecretInput.line(ofFile: "/nonexistent/secret")
    }
  }
}
