// SPDX-License-Identifier: Apache-2.0
import Posix
import Sodium

/// The background process that keeps an unlocked journal's keys, in locked memory, for a while.
///
/// It holds nothing else, does nothing with the keys, writes nothing to disk. When it ends, by
/// time-out, by `journal lock` or by any signal, the journal is locked.
enum Agent {
  /// Takes the keys over from the process that started this one, then serves them.
  ///
  /// - Parameters:
  ///   - name: The socket's name.
  ///   - folder: Where the socket lies.
  ///   - idle: How long after the last use the keys are wiped.
  /// - Throws: ``SystemError`` before it is ready; the starter hears of it.
  static func run(name: String, in folder: String, idle: Duration) throws(SystemError) {
    BackgroundProcess.detach()
    let starter = LocalSocket.fromParent()
    let keys = try starter.receivePart()
    let listener = try LocalSocket.listen(at: name, in: folder)
    try starter.send(number: 1)
    let last = serve(keys, on: listener, idle: idle)
    listener.close(name, in: folder)
    // Wiped before the connection of who asked for it closes.
    _ = consume keys
    _ = consume last
  }

  /// Returns the guest who asked for the end; `nil` when the time was up.
  private static func serve(
    _ keys: borrowing SecretBytes, on listener: borrowing LocalSocket, idle: Duration
  ) -> LocalSocket? {
    // A clock that runs on while the computer sleeps.
    let clock = ContinuousClock()
    var end = clock.now + idle
    while clock.now < end {
      // Short waits: the time that poll counts stands still while the computer sleeps.
      let rest = min(clock.now.duration(to: end), .seconds(10))
      let milliseconds = Int(rest.components.seconds) * 1000 + 1000
      guard (try? listener.wait(milliseconds: milliseconds)) == true else { continue }
      do throws(SystemError) {
        let guest = try listener.accept()
        guard guest.peerIsThisUser() else { continue }
        switch AgentRequest(rawValue: try guest.receiveByte()) {
        case .keys:
          guard clock.now < end else { return nil }
          end = clock.now + idle
          try keys.withBytes { (bytes) throws(SystemError) in try guest.sendPart(bytes) }
        case .timeLeft:
          try guest.send(
            number: UInt32(clamping: clock.now.duration(to: end).components.seconds))
        case .lock: return guest
        case nil: break
        }
      } catch {}  // A guest that left early is no concern of the others.
    }
    return nil
  }
}
