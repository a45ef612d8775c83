// SPDX-License-Identifier: Apache-2.0
import Foundation
import Posix
import Sodium
import Testing

@Suite struct LocalSocketTests {
  /// Lends a private folder to one test.
  @discardableResult
  private static func withFolder<R>(mode: Int = 0o700, _ body: (String) throws -> R) throws -> R {
    let folder = URL(filePath: "/tmp/posix-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }

  @Test func `bytes sent at one end arrive at the other`() throws {
    try Self.withFolder { folder in
      let listener = try LocalSocket.listen(at: "socket", in: folder)
      let mine = try LocalSocket.connect(to: "socket", in: folder)
      let theirs = try listener.accept()
      try mine.send([1, 2, 3].span)
      let got = try theirs.receive(count: 3)
      let bytes = got.withBytes { span in span.indices.map { span[$0] } }
      #expect(bytes == [1, 2, 3])
    }
  }

  @Test func `of many that want one address at once, one gets it and is reached there`()
    async throws
  {
    let folder = "/tmp/posix-\(UUID().uuidString)"
    LocalSocket.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let winners = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          guard let listener = try? LocalSocket.listen(at: "socket", in: folder) else { return 0 }
          // Reached by itself: nobody put another socket in its place.
          guard (try? LocalSocket.connect(to: "socket", in: folder)) != nil,
            (try? listener.wait(milliseconds: 1000)) == true
          else { return 100 }
          return 1
        }
      }
      return await group.reduce(0, +)
    }
    #expect((1...8).contains(winners))
  }

  @Test func `the kernel names this user at the other end`() throws {
    try Self.withFolder { folder in
      let listener = try LocalSocket.listen(at: "socket", in: folder)
      let mine = try LocalSocket.connect(to: "socket", in: folder)
      let theirs = try listener.accept()
      let both = [mine.peerIsThisUser(), theirs.peerIsThisUser()]
      #expect(both == [true, true])
    }
  }

  @Test func `a socket whose listener died is replaced`() throws {
    try Self.withFolder { folder in
      do { _ = try LocalSocket.listen(at: "socket", in: folder) }
      #expect(FileManager.default.fileExists(atPath: folder + "/socket"))
      let listener = try LocalSocket.listen(at: "socket", in: folder)
      _ = try LocalSocket.connect(to: "socket", in: folder)
      let isWaiting = try listener.wait(milliseconds: 1000)
      #expect(isWaiting)
    }
  }

  @Test func `a socket with a living listener is not taken`() throws {
    try Self.withFolder { folder in
      let listener = try LocalSocket.listen(at: "socket", in: folder)
      #expect(throws: SystemError(call: "listen", code: EADDRINUSE)) {
        _ = try LocalSocket.listen(at: "socket", in: folder)
      }
      _ = try listener.wait(milliseconds: 0)
    }
  }

  @Test func `where nobody listens the error says so`() throws {
    try Self.withFolder { folder in
      do {
        _ = try LocalSocket.connect(to: "socket", in: folder)
        Issue.record("connected to nobody")
      } catch let error as SystemError {
        #expect(error.nobodyListens)
      }
    }
  }

  @Test func `a folder that others may enter is refused`() throws {
    try Self.withFolder(mode: 0o750) { folder in
      #expect(throws: SystemError(call: "private folder", code: EPERM)) {
        _ = try LocalSocket.listen(at: "socket", in: folder)
      }
    }
  }

  @Test func `a path longer than an address is no obstacle`() throws {
    try Self.withFolder { folder in
      let deep = folder + "/" + String(repeating: "d", count: 200)
      LocalSocket.makeFolder(deep)
      let listener = try LocalSocket.listen(at: "socket", in: deep)
      _ = try LocalSocket.connect(to: "socket", in: deep)
      let isWaiting = try listener.wait(milliseconds: 1000)
      #expect(isWaiting)
    }
  }

  @Test func `an end that closed early is an error, not a wait`() throws {
    try Self.withFolder { folder in
      let listener = try LocalSocket.listen(at: "socket", in: folder)
      do { _ = try LocalSocket.connect(to: "socket", in: folder) }
      let guest = try listener.accept()
      #expect(throws: SystemError(call: "recv", code: ECONNRESET)) {
        _ = try guest.receive(count: 1)
      }
    }
  }
}
