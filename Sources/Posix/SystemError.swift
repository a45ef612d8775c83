// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A call to the operating system that failed.
public struct SystemError: Error, Equatable {
  /// The call, as in its manual page.
  public let call: String
  /// The system's number for what went wrong (`errno`).
  public let code: Int32

  /// The failure `code` of `call`.
  public init(call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  /// A message that is not of the form agreed on.
  public static let unexpected = SystemError(call: "message", code: EBADMSG)

  /// Whether nobody listens at the address: no such socket, or one whose owner died.
  public var nobodyListens: Bool { code == ENOENT || code == ECONNREFUSED || code == ENOTDIR }

  /// The system's sentence for ``code``.
  public var reason: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }
}

/// Repeats `call` while a signal interrupts it.
///
/// - Throws: ``SystemError`` when the call gives -1.
@discardableResult
func checked(_ name: String, _ call: () -> Int) throws(SystemError) -> Int {
  while true {
    let result = call()
    if result >= 0 { return result }
    if errno != EINTR { throw .last(name) }
  }
}
