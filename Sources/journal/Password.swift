// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Posix
import Sodium

/// Where a command takes the password from: never an argument, never the environment.
struct PasswordOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read the password from the first line of FILE, - for standard input.", valueName: "file"))
  var passwordFile: String?

  /// The password of this journal.
  ///
  /// - Throws: ``Complaint`` where there is no terminal to ask on, and no file was named.
  func existing(_ prompt: String = "Password: ") throws -> SecretBytes {
    if let passwordFile { return try notEmpty(SecretInput.line(ofFile: passwordFile)) }
    return try notEmpty(SecretInput.ask(prompt))
  }

  /// A password chosen now: asked for twice on a terminal.
  ///
  /// - Throws: ``Complaint`` where the two differ, and as ``existing(_:)``.
  func chosen(_ prompt: String = "New password: ") throws -> SecretBytes {
    if let passwordFile { return try notEmpty(SecretInput.line(ofFile: passwordFile)) }
    let first = try notEmpty(SecretInput.ask(prompt))
    let again = try SecretInput.ask("The same again: ")
    guard first.matches(again) else {
      throw Complaint("the two are not the same", hints: "nothing was changed; try again")
    }
    if Self.isWeak(first) {
      Terminal.note(
        "that password can be guessed by who steals the server; five random words cannot")
    }
    return first
  }

  /// Whether a password is short or repeats itself; says nothing of one that is long and well known.
  private static func isWeak(_ password: borrowing SecretBytes) -> Bool {
    password.withBytes { bytes in
      var seen: Set<UInt8> = []
      for index in bytes.indices { seen.insert(bytes[index]) }
      return bytes.count < 12 || seen.count < 6
    }
  }

  private func notEmpty(_ secret: consuming SecretBytes) throws -> SecretBytes {
    guard secret.count > 0 else {
      throw Complaint("the password is empty", hints: "nothing was changed")
    }
    return secret
  }
}
