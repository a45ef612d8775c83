// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The files of `keyflow/vectors` themselves.
@Suite struct VectorFileTests {
  @Test func `every file of vectors is read by some test`() throws {
    let files = FileManager.default
    let names = try files.subpathsOfDirectory(atPath: Repository.vectors.path)
      .filter { $0.hasSuffix(".json") && $0 != "schema.json" }.map { String($0.dropLast(5)) }
    #expect(names.count > 30)
    let tests = Repository.root.appending(path: "Tests")
    var text = ""
    for path in try files.subpathsOfDirectory(atPath: tests.path) where path.hasSuffix(".swift") {
      text += try String(contentsOf: tests.appending(path: path), encoding: .utf8)
    }
    let unread = names.filter { !text.contains("load(\"\($0)\")") }
    #expect(unread.isEmpty)
  }
}
