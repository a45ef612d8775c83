// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import TestSupport
import Testing

/// The kept inputs, and changes of them, before the parser of every message.
@Suite struct CorpusTests {
  @Test func `B10: a kept input, and a change of one, is refused or given back`() throws {
    var random = SeededGenerator(for: "B10 messages' corpus")
    for input in try Corpus.inputs("opaque") {
      let changes = (0..<20).map { _ in random.changed(input.bytes) }
      for bytes in [input.bytes] + changes {
        for kind in MessageTests.kinds {
          do {
            let again = try kind.reparse(bytes)
            #expect(again == bytes, "\(kind.testDescription), \(input.name)")
          } catch {
            #expect(error == .malformed, "\(kind.testDescription), \(input.name)")
          }
        }
      }
    }
  }
}
