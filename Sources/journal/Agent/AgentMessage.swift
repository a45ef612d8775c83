// SPDX-License-Identifier: Apache-2.0
import Posix
import Sodium

/// What goes over the agent's socket: one byte of request, then its fields; big-endian.
///
/// Only processes of one user talk: the folder is private, and both ends check the other's user.
enum AgentRequest: UInt8 {
  /// Answered by ``LocalSocket/sendPart(_:)`` of the keys; counts as a use.
  case keys = 1
  /// Ends the agent; the connection closes when the keys are wiped.
  case lock = 2
  /// Answered by four bytes: the seconds left.
  case timeLeft = 3
}

extension LocalSocket {
  /// Most bytes that one part may have.
  static let largestPart = 1 << 20

  /// Sends a length and `bytes`.
  borrowing func sendPart(_ bytes: Span<UInt8>) throws(SystemError) {
    try send(number: UInt32(bytes.count))
    try send(bytes)
  }

  /// Receives what ``sendPart(_:)`` sent.
  borrowing func receivePart() throws(SystemError) -> SecretBytes {
    let count = Int(try receiveNumber())
    guard count <= Self.largestPart else { throw .unexpected }
    return try receive(count: count)
  }

  /// Sends four bytes.
  borrowing func send(number: UInt32) throws(SystemError) {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    try send(bytes.span)
  }

  /// Receives four bytes.
  borrowing func receiveNumber() throws(SystemError) -> UInt32 {
    try receive(count: 4).withBytes { bytes in
      bytes.indices.reduce(0) { $0 << 8 | UInt32(bytes[$1]) }
    }
  }

  /// Receives one byte.
  borrowing func receiveByte() throws(SystemError) -> UInt8 {
    try receive(count: 1).withBytes { $0[0] }
  }
}
