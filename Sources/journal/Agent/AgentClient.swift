// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Posix
import Sodium

/// How a command reaches the agent of its journal.
struct AgentClient {
  /// How long the keys stay after the last use, unless told otherwise.
  static let usualIdle = Duration.seconds(15 * 60)

  private let folder: String
  private let name: String

  /// The agent of the journal in `home`.
  ///
  /// Its socket lies in `$XDG_RUNTIME_DIR/journal`, else in the journal's own folder. Both are closed
  /// to other users.
  init(home: Home, runtimeFolder: String?) {
    let path = home.folder.path
    if let runtimeFolder, runtimeFolder.hasPrefix("/") {
      folder = runtimeFolder + "/journal"
      let digest = SHA512.hash(Array(path.utf8))
      name = digest.prefix(8).map { $0.digits(2, radix: 16) }.joined() + ".agent"
      LocalSocket.makeFolder(folder)
    } else {
      folder = path
      name = "agent"
    }
  }

  /// The keys of the unlocked journal; `nil` where it is locked.
  func keys() -> SecretBytes? {
    guard let agent = connect() else { return nil }
    do throws(SystemError) {
      try agent.send([AgentRequest.keys.rawValue].span)
      return try agent.receivePart()
    } catch {
      return nil
    }
  }

  /// The seconds until the keys are wiped; `nil` where the journal is locked.
  func secondsLeft() -> Int? {
    guard let agent = connect() else { return nil }
    do throws(SystemError) {
      try agent.send([AgentRequest.timeLeft.rawValue].span)
      return Int(try agent.receiveNumber())
    } catch {
      return nil
    }
  }

  /// Ends the agent, and returns when its memory is wiped.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  func lock() -> Bool {
    guard let agent = connect() else { return false }
    do throws(SystemError) {
      try agent.send([AgentRequest.lock.rawValue].span)
      _ = try agent.receiveByte()
    } catch {}  // The end of the connection is the answer.
    return true
  }

  /// Starts an agent with `keys`, in the place of one that runs already.
  ///
  /// - Throws: ``SystemError``.
  func start(keys: borrowing SecretBytes, idle: Duration) throws(SystemError) {
    lock()
    let agent = try BackgroundProcess.start(
      "/proc/self/exe",
      arguments: [
        "journal", "agent", "--folder", folder, "--name", name, "--idle",
        String(idle.components.seconds),
      ])
    try keys.withBytes { (bytes) throws(SystemError) in try agent.socket.sendPart(bytes) }
    guard try agent.socket.receiveNumber() == 1 else { throw .unexpected }
  }

  private func connect() -> LocalSocket? {
    guard let agent = try? LocalSocket.connect(to: name, in: folder), agent.peerIsThisUser() else {
      return nil
    }
    return agent
  }
}

extension BinaryInteger {
  /// The number with the word for so many.
  func of(_ one: String, _ many: String) -> String { "\(self) \(self == 1 ? one : many)" }

  /// The number with zeros before it, up to `count` digits.
  func digits(_ count: Int, radix: Int = 10) -> String {
    let digits = String(self, radix: radix)
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
  }
}
