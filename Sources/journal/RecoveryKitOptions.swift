// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import JournalClient
import Posix
import Sodium

/// Where the recovery kit goes: on the screen, with a part of it asked back, or to a file.
struct RecoveryKitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write the recovery kit to FILE, 0600, instead of showing it on the terminal.",
      valueName: "file"))
  var recoveryKitFile: String?

  /// Makes sure, before anything is begun, that the kit can be given.
  ///
  /// - Throws: ``Complaint`` without file and terminal.
  func check() throws {
    if let recoveryKitFile, FileManager.default.fileExists(atPath: recoveryKitFile) {
      throw Complaint.usage(
        "\(recoveryKitFile) exists already", hint: "the kit needs a new file; nothing was changed")
    }
    guard recoveryKitFile != nil || SecretInput.hasTerminal else {
      throw Complaint.nobodyToAsk(flag: "--recovery-kit-file FILE")
    }
  }

  /// Hands the kit over.
  ///
  /// - Returns: Whether its owner has it.
  func handOver(_ kit: borrowing RecoveryKit, of name: String, at server: String) -> Bool {
    let document = Self.document(kit, name, server)
    if let recoveryKitFile {
      do {
        try SecretFile.create(recoveryKitFile, document)
        Terminal.note("the recovery kit is in \(recoveryKitFile): print it, then delete the file")
        return true
      } catch {
        Terminal.note("the recovery kit cannot be written to \(recoveryKitFile)")
        return false
      }
    }
    do {
      try SecretInput.show(document)
    } catch {
      Terminal.note(
        "there is no terminal to show the recovery kit on; --recovery-kit-file names a file")
      return false
    }
    return (0..<2).allSatisfy { _ in Self.isTypedBack(kit.code) }
  }

  /// The page to print.
  private static func document(
    _ kit: borrowing RecoveryKit, _ name: String, _ server: String
  ) -> SecretBytes {
    let before = Array(
      """

        RECOVERY KIT for the journal of \(name) at \(server)

        This code opens your journal when the password is lost. Whoever has it can read everything.
        Keep it on paper, away from your devices.

            code   \("")
      """.utf8)
    let after = Array(
      """

            server \(kit.serverName)
            vault  \(kit.fingerprint)


      """.utf8)
    return SecretBytes(count: before.count + kit.code.count + after.count) { out in
      for (index, byte) in before.enumerated() { out[index] = byte }
      kit.code.withBytes { for index in $0.indices { out[before.count + index] = $0[index] } }
      let rest = before.count + kit.code.count
      for (index, byte) in after.enumerated() { out[rest + index] = byte }
    }
  }

  /// Asks for one group of the code.
  private static func isTypedBack(_ code: borrowing SecretBytes) -> Bool {
    let group = Int.random(in: 0..<9)
    let wanted = code.slice(group * 5..<group * 5 + 4)
    for _ in 0..<3 {
      guard
        let typed = try? SecretInput.ask(
          "Write it down, then type group \(group + 1) of the code: ")
      else { return false }
      let upper = SecretBytes(count: typed.count) { out in
        typed.withBytes { typed in
          for index in typed.indices {
            let byte = typed[index]
            out[index] = (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
          }
        }
      }
      if upper.matches(wanted) { return true }
      Terminal.note("that is not group \(group + 1)")
    }
    return false
  }
}
