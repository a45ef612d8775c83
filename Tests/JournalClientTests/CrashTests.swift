// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import KeyFlow
import TestSupport
import Testing

/// Nothing acknowledged is lost or doubled, whatever happens to the process or the file.
@Suite(.serialized) struct CrashTests {
  let test = TestJournal()

  @Test(arguments: 0..<6)
  func `what a killed process acknowledged is there, once`(round: Int) throws {
    _ = try test.create()
    var random = SeededGenerator(for: #function)
    let helper = try Helper("write", test.home.folder.path, "entry", "100000")
    let acknowledged = try helper.kill(afterLines: Int.random(in: 1...60, using: &random))
    let texts = try test.open().list().map(\.line)
    #expect(Set(texts).count == texts.count)
    #expect(Set(acknowledged).isSubset(of: texts))
    #expect(texts.count <= acknowledged.count + 1)
  }

  @Test func `a long log that a killed process left is emptied by the next`() throws {
    _ = try test.create()
    let helper = try Helper("write", test.home.folder.path, "entry", "100000")
    let acknowledged = try helper.kill(afterLines: 40)
    let log = URL(filePath: test.home.database.path + "-wal")
    #expect(try Data(contentsOf: log).count > 64 * 4_096)
    let journal = try test.open()
    #expect(try Data(contentsOf: log).isEmpty)
    #expect(Set(acknowledged).isSubset(of: try journal.list().map(\.line)))
  }

  @Test func `a killed edit leaves the last acknowledged state or the next`() throws {
    let journal = try test.create()
    let entry = try journal.write(content: "before")
    let helper = try Helper("edit", test.home.folder.path, entry.id.description, "100000")
    let lines = try helper.kill(afterLines: 25)
    let last = try #require(lines.last?.split(separator: " ").last.flatMap { Int($0) })
    let text = try test.open().entry(entry.id).content
    #expect(["state \(last)", "state \(last + 1)"].contains(text))
    #expect(try test.open().history(entry.id).filter(\.isCurrent).count == 1)
  }

  @Test func `two processes write at once and neither loses an entry`() throws {
    let journal = try test.create()
    let helpers = try ["a", "b"].map {
      try Helper("write", test.home.folder.path, $0, "60")
    }
    for number in 0..<60 { try journal.write(content: "c-\(number)") }
    let said = try helpers.map { try $0.finish() }
    #expect(said.map(\.count) == [60, 60])
    let texts = try journal.list().map(\.line)
    let expected = ["a", "b", "c"].flatMap { name in (0..<60).map { "\(name)-\($0)" } }
    #expect(texts.sorted() == expected.sorted())
  }

  @Test func `a killed import goes on where it was and doubles nothing`() throws {
    let journal = try test.create()
    let entries = (0..<9000).map { "{\"id\": \"x\($0)\", \"content\": \"text \($0)\"}" }
    let file = test.home.folder.appending(path: "import.json")
    try Data("[\(entries.joined(separator: ","))]".utf8).write(to: file)
    let helper = try Helper("import", test.home.folder.path, file.path)
    let said = try helper.kill(afterLines: 2)
    let before = try journal.count()
    #expect(before >= said.last.flatMap { Int($0) } ?? 0)
    let report = try journal.importJSON(file)
    #expect(report.added + report.unchanged == 9000)
    #expect(report.unchanged == before)
    #expect(try journal.count() == 9000)
  }

  @Test func `when the disk is full, nothing is acknowledged and what was before stays`() throws {
    _ = try test.create()
    // Every file of the process may grow to 1.2 MB; SQLite is told as by a full disk.
    let helper = try Helper("limit", "1200000", "write", test.home.folder.path, "entry", "100000")
    let lines = try helper.finish(expectingStatus: 1)
    #expect(lines.last?.hasPrefix("error") == true)
    let acknowledged = lines.filter { $0.hasPrefix("entry") }
    #expect(acknowledged.count > 10)
    let journal = try test.open()
    let texts = try journal.list().map(\.line)
    #expect(texts.sorted() == acknowledged.sorted())
    try journal.write(content: "after")
    #expect(try journal.count() == acknowledged.count + 1)
  }

  @Test func `a creation that was cut short is begun again`() throws {
    let created = try test.create()
    created.keys.lock()
    // The key file is written before the journal's row: without the row it sealed nothing.
    let cut = TestJournal()
    try FileManager.default.createDirectory(
      at: cut.home.folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: test.home.keyFile, to: cut.home.keyFile)
    #expect(throws: JournalError.noJournal) { try cut.open() }
    let entry = try cut.create().write(content: "one")
    #expect(try cut.open().entry(entry.id).content == "one")
  }
}

/// The process that is killed.
struct Helper {
  private let process = Process()
  private let pipe = Pipe()

  init(_ arguments: String...) throws {
    process.executableURL = Bundle.main.executableURL.map {
      Helper.folder(of: $0).appending(path: "CrashHelper")
    }
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
  }

  /// Where the build puts programs: beside the test bundle.
  private static func folder(of executable: URL) -> URL {
    let arguments = CommandLine.arguments.compactMap { argument in
      argument.range(of: ".xctest").map { String(argument[..<$0.lowerBound]) }
    }
    guard let bundle = arguments.first else { return executable.deletingLastPathComponent() }
    return URL(filePath: bundle).deletingLastPathComponent()
  }

  /// Waits for so many lines, kills the process with SIGKILL, and gives every whole line it said.
  func kill(afterLines count: Int) throws -> [String] {
    var said = Data()
    while said.count(where: { $0 == 0x0A }) < count {
      let piece = pipe.fileHandleForReading.availableData
      guard !piece.isEmpty else { break }
      said += piece
    }
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    said += try pipe.fileHandleForReading.readToEnd() ?? Data()
    return lines(of: said)
  }

  /// Waits for its end and gives what it said.
  func finish(expectingStatus status: Int32 = 0) throws -> [String] {
    let said = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == status else { throw CocoaError(.executableLoad) }
    return lines(of: said)
  }

  private func lines(of data: Data) -> [String] {
    String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .dropLast().map(String.init)
  }
}
