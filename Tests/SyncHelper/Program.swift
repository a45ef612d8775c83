// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyExchange
import Sodium

/// A process to be killed while it syncs; it says on stdout what was acknowledged.
///
/// `write HOME PREFIX` unlocks, then writes and syncs for ever, printing each text when it is saved;
/// `password HOME OLD NEW` changes the password, `rotate HOME OLD NEW` the keys, `strengthen HOME
/// PASSWORD` the cost, `sync HOME PASSWORD` syncs, `off HOME` turns encryption off, `join HOME URL NAME`
/// joins, `recover HOME URL NAME CODE NEW` uses the kit and says what stands on the next one, `encrypt HOME URL NAME` turns encryption on; they print
/// `done` after.
@main enum Program {
  /// One line, at once: what was said was acknowledged.
  static func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }

  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 2 else { exit(2) }
    var environment = Environment(now: {
      Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    })
    // The costs of EndToEndTests.
    environment.profiles = [2, 1, 3].map {
      Profile(id: $0, cost: Argon2id(passes: 1, memoryKiB: 8 * Int($0)))
    }
    let journal = try Journal.open(
      in: Home(URL(filePath: arguments[1])), environment: environment)
    let engine = SyncEngine(journal)
    let password = SecretBytes(copying: Array("correct horse battery".utf8).span)
    switch arguments[0] {
    case "write" where arguments.count == 3:
      try await journal.unlock(password: password)
      for number in 0... {
        let text = "\(arguments[2])-\(number)"
        try journal.write(content: text)
        say(text)
        _ = try? await engine.sync()
      }
    case "password" where arguments.count == 4:
      try await engine.changePassword(
        from: SecretBytes(copying: Array(arguments[2].utf8).span),
        to: SecretBytes(copying: Array(arguments[3].utf8).span))
      say("done")
    case "rotate" where arguments.count == 4:
      let old = SecretBytes(copying: Array(arguments[2].utf8).span)
      let new = SecretBytes(copying: Array(arguments[3].utf8).span)
      do {
        try await journal.unlock(password: old)
      } catch {
        // As the program does: the new one may be what opens it by now.
        try await engine.logIn(password: old)
      }
      try await engine.rotateKeys(
        from: old, to: new,
        confirm: { _ in
          say("kit")
          return true
        })
      say("changed")
      try await engine.sync()
      say("done")
    case "recover" where arguments.count == 6:
      guard let server = ServerAddress(arguments[2]) else { exit(2) }
      try await engine.recover(
        AccountWish(server: server, name: arguments[3]),
        code: SecretBytes(copying: Array(arguments[4].utf8).span),
        newPassword: SecretBytes(copying: Array(arguments[5].utf8).span),
        confirm: { kit in
          kit.code.withBytes { code in
            say(String(decoding: code.indices.map { code[$0] }, as: UTF8.self))
          }
          return true
        })
      say("done")
    case "strengthen" where arguments.count == 3:
      try await engine.strengthenPassword(
        SecretBytes(copying: Array(arguments[2].utf8).span))
      say("done")
    case "sync" where arguments.count == 3:
      let password = SecretBytes(copying: Array(arguments[2].utf8).span)
      try await journal.unlock(password: password)
      try await engine.sync()
      say("done")
    case "off":
      try await journal.unlock(password: password)
      try await engine.turnEncryptionOff(password: password)
      say("done")
    case "join" where arguments.count == 4:
      guard let server = ServerAddress(arguments[2]) else { exit(2) }
      try await engine.join(
        AccountWish(server: server, name: arguments[3]), password: password)
      say("done")
    case "encrypt" where arguments.count >= 3:
      guard let server = ServerAddress(arguments[2]), arguments.count == 4 else { exit(2) }
      try await engine.turnEncryptionOn(
        AccountWish(server: server, name: arguments[3]), password: password,
        confirm: { _ in true })
      say("done")
    default: exit(2)
    }
  }
}
