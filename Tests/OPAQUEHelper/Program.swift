// SPDX-License-Identifier: Apache-2.0
import Foundation
import KeyExchange
import TestSupport

/// A process that speaks OPAQUE for a test in another language: one JSON request a line on stdin,
/// one JSON answer a line on stdout.
///
/// An answer holds what was made, in hexadecimal, or `error`: what the library refused with. A line
/// that is not a ``Request`` ends the process with status 2; so does nothing that a peer sends.
@main enum Program {
  static func main() throws {
    let parties = Parties()
    while let line = readLine() {
      guard let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) else {
        FileHandle.standardError.write(Data("OPAQUEHelper: not a request: \(line)\n".utf8))
        exit(2)
      }
      let answer: [String: String]
      do {
        answer = try parties.answer(request)
      } catch let error as KeyExchangeError {
        answer = ["error": "\(error)"]
      } catch let error as CredentialError {
        answer = ["error": "\(error)"]
      }
      FileHandle.standardOutput.write(try JSONEncoder().encode(answer) + Data("\n".utf8))
    }
  }
}
