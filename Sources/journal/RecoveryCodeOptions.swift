// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import KeyFlow
import Posix
import Sodium

/// Where a command takes the recovery code from: never an argument, never the environment.
struct RecoveryCodeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read the recovery code from FILE, a kit or its code alone; - for standard input.",
      valueName: "file"))
  var recoveryCodeFile: String?

  /// The largest file that is taken for a kit, in bytes.
  private static let largestFile = 4_096

  /// What was typed, or stands in the file.
  ///
  /// - Throws: ``Complaint`` where there is no terminal to ask on, and no file was named.
  func typed() throws -> SecretBytes {
    guard let recoveryCodeFile else {
      guard SecretInput.hasTerminal else {
        throw Complaint.nobodyToAsk(flag: "--recovery-code-file FILE")
      }
      return try SecretInput.ask("Recovery code: ")
    }
    if recoveryCodeFile == "-" { return try SecretInput.line(ofFile: recoveryCodeFile) }
    let file: SecretBytes
    do {
      file = try SecretFile.read(recoveryCodeFile, atMost: Self.largestFile)
    } catch SecretFileError.exposed {
      throw Complaint(
        "others can read \(recoveryCodeFile), or it is not your own file",
        hints: "nothing was changed; \"chmod 600\" it, or copy it")
    } catch {
      throw Complaint(
        "\(recoveryCodeFile) cannot be read as a recovery kit", hints: "nothing was changed")
    }
    return Self.code(in: file)
  }

  /// The line of a kit that is its code, without the word before it; else the first line.
  private static func code(in file: borrowing SecretBytes) -> SecretBytes {
    let lines = file.withBytes { bytes in
      var lines: [Range<Int>] = []
      var start = 0
      for index in bytes.indices where bytes[index] == 0x0A {
        lines.append(start..<index)
        start = index + 1
      }
      return lines + [start..<bytes.count]
    }
    let word = Array("code".utf8)
    for line in lines {
      let isCode = file.withBytes { bytes -> Int? in
        guard let first = line.first(where: { bytes[$0] != 0x20 }),
          first + word.count < line.upperBound,
          word.indices.allSatisfy({ bytes[first + $0] == word[$0] }),
          bytes[first + word.count] == 0x20
        else { return nil }
        return first + word.count
      }
      if let start = isCode { return file.slice(start..<line.upperBound) }
    }
    return file.slice(lines[0])
  }
}
