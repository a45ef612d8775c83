// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import Posix
import Sodium

/// How a command reaches the agent of its journal.
struct AgentClient {
  /// How long the keys stay after the last use, unless told otherwise.
  static let usualIdle = Duration.seconds(15 * 60)

  /// Where an agent's socket may lie.
  private struct Place {
    let folder: String
    let name: String
  }

  /// Where a new agent listens, then where else one may: started without `$XDG_RUNTIME_DIR`, or with.
  private let places: [Place]

  /// The agent of the journal in `home`, whatever path names that folder.
  ///
  /// Its socket lies in `$XDG_RUNTIME_DIR/journal`, else in the journal's own folder. Both are closed
  /// to other users.
  init(home: Home, runtimeFolder: String?) {
    let path = home.folder.standardizedFileURL.resolvingSymlinksInPath().path
    let own = Place(folder: path, name: "agent")
    if let runtimeFolder, runtimeFolder.hasPrefix("/") {
      let digest = SHA512.hash(Array(path.utf8))
      let name = digest.prefix(8).map { $0.digits(2, radix: 16) }.joined() + ".agent"
      let shared = Place(folder: runtimeFolder + "/journal", name: name)
      LocalSocket.makeFolder(shared.folder)
      places = [shared, own]
    } else {
      places = [own]
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

  /// Ends the agent and every command that keeps the keys as long as it runs, and returns when their
  /// memory is wiped.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  func lock() -> Bool {
    let hadAgent = endAgents()
    return places.map(endHolders).contains(true) || hadAgent
  }

  /// Makes this process one that ``lock()`` ends; to be called before it has the keys.
  ///
  /// - Throws: ``SystemError``.
  func endWhenLocked() throws(SystemError) {
    guard let place = places.first else { throw .unexpected }
    let listener = try Self.listen(beside: place)
    Thread.detachNewThread {
      while true {
        guard (try? listener.wait(milliseconds: 3_600_000)) == true,
          let guest = try? listener.accept(), guest.peerIsThisUser(),
          (try? guest.receiveByte()) == AgentRequest.lock.rawValue
        else { continue }
        Terminal.report(Complaint(JournalError.locked))
        // The guest hears of it when the system has taken this process's memory.
        exit(ExitStatus.locked.rawValue)
      }
    }
  }

  /// How many commands can keep the keys at once.
  private static let holders = 1...8

  private static func listen(beside place: Place) throws(SystemError) -> LocalSocket {
    for number in holders {
      do throws(SystemError) {
        return try LocalSocket.listen(at: "\(place.name)-\(number)", in: place.folder)
      } catch {
        guard error.code == EADDRINUSE else { throw error }
      }
    }
    throw SystemError(call: "listen", code: EADDRINUSE)
  }

  private func endAgents() -> Bool { places.map(end).contains(true) }

  /// Ends the commands that listen beside `place`.
  private func endHolders(beside place: Place) -> Bool {
    Self.holders.map { end(Place(folder: place.folder, name: "\(place.name)-\($0)")) }
      .contains(true)
  }

  /// Ends the process that listens at `place`, and returns when its memory is wiped.
  private func end(_ place: Place) -> Bool {
    guard let holder = connect(to: place) else { return false }
    do throws(SystemError) {
      try holder.send([AgentRequest.lock.rawValue].span)
      _ = try holder.receiveByte()
    } catch {}  // The end of the connection is the answer.
    return true
  }

  /// Starts an agent with `keys`, in the place of one that runs already; of two that are started at
  /// once, the later one stays.
  ///
  /// - Throws: ``SystemError``.
  func start(keys: borrowing SecretBytes, idle: Duration) throws(SystemError) {
    for attempt in 1...8 {
      _ = endAgents()
      do throws(SystemError) {
        return try launch(keys, idle: idle)
      } catch {
        // Another start came between: it found no agent either, and took the place.
        guard attempt < 8 else { throw error }
      }
    }
  }

  private func launch(_ keys: borrowing SecretBytes, idle: Duration) throws(SystemError) {
    guard let place = places.first else { throw .unexpected }
    let agent = try BackgroundProcess.start(
      "/proc/self/exe",
      arguments: [
        "journal", "agent", "--folder", place.folder, "--name", place.name, "--idle",
        String(idle.components.seconds),
      ])
    try keys.withBytes { (bytes) throws(SystemError) in try agent.socket.sendPart(bytes) }
    guard try agent.socket.receiveNumber() == 1 else { throw .unexpected }
  }

  private func connect() -> LocalSocket? {
    for place in places {
      if let agent = connect(to: place) { return agent }
    }
    return nil
  }

  private func connect(to place: Place) -> LocalSocket? {
    guard let agent = try? LocalSocket.connect(to: place.name, in: place.folder),
      agent.peerIsThisUser()
    else { return nil }
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
