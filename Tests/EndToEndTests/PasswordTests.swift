// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import JournalClient
import Synchronization
import Testing
import VaultProtocol

/// A password change whose answer is lost, refused or late.
@Suite struct PasswordTests {
  /// Whether `text` opens `device` offline.
  private func opens(_ device: TestDevice, _ text: String) async -> Bool {
    device.journal.keys.lock()
    return (try? await device.journal.unlock(password: password(text))) != nil
  }

  private func change(_ device: TestDevice) async throws {
    try await device.engine.changePassword(from: password(), to: password("another one"))
  }

  @Test func `a change that a proxy answered with an error, and refused when repeated, holds`()
    async throws
  {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      let isFirst = Mutex(true)
      vault.lie { request, honest in
        guard request.uri.path == Route.credentials else { return nil }
        let answer = try await honest(request)
        let first = isFirst.withLock { first in
          defer { first = false }
          return first
        }
        return first ? Response(status: .serviceUnavailable) : answer
      }
      try await change(a)
      #expect(await opens(a, "another one"))
      #expect(await !opens(a, "correct horse battery"))
      try await a.engine.logIn(password: password("another one"))
    }
  }

  @Test func `a change that was refused leaves the old password alone`() async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      vault.lie { request, _ in
        request.uri.path == Route.credentials ? .problem(.preconditionFailed) : nil
      }
      await #expect(throws: JournalError.serverProblem(.preconditionFailed)) {
        try await change(a)
      }
      #expect(await !opens(a, "another one"))
      #expect(await opens(a, "correct horse battery"))
    }
  }

  @Test(arguments: [true, false])
  func `a change in doubt leaves both passwords, and a repeat finds out`(
    happened: Bool
  ) async throws {
    let vault = try TestVault()
    try await vault.serve { server in
      let a = try TestDevice()
      try await a.register(at: server)
      let isGone = Mutex(false)
      vault.lie { request, honest in
        if request.uri.path == Route.credentials {
          if happened { _ = try await honest(request) }
          isGone.withLock { $0 = true }
          return .cut
        }
        return isGone.withLock { $0 } ? .cut : nil
      }
      await #expect(throws: JournalError.passwordInDoubt) { try await change(a) }
      #expect(await opens(a, "correct horse battery"))
      #expect(await opens(a, "another one"))
      #expect(await opens(a, "correct horse battery"))
      vault.lie(nil)
      try await change(a)
      #expect(await opens(a, "another one"))
      #expect(await !opens(a, "correct horse battery"))
      try await a.engine.logIn(password: password("another one"))
      await #expect(throws: JournalError.wrongPassword) {
        try await a.engine.logIn(password: password())
      }
    }
  }
}
