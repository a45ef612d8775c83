// SPDX-License-Identifier: Apache-2.0
import Foundation
import JournalClient
import TestSupport
import Testing

@Suite struct InstantTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1),
    ("2000-02-29T12:34:56.789Z", 951_827_696_789), ("1660-01-10T21:00:00.000Z", -9_781_786_800_000),
    ("0000-03-01T00:00:00.000Z", -62_162_035_200_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ("-000044-03-15T00:00:00.000Z", -63_549_360_000_000),
    ("+012024-01-01T00:00:00.000Z", 317_273_587_200_000),
  ])
  func `a moment has one text and is read from it`(text: String, milliseconds: Int64) {
    #expect(Instant(milliseconds: milliseconds).iso8601 == text)
    #expect(Instant(iso8601: text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    ("2020-05-06", "2020-05-06T00:00:00.000Z"), ("2020-05-06T07:08", "2020-05-06T07:08:00.000Z"),
    ("2020-05-06 07:08:09", "2020-05-06T07:08:09.000Z"),
    ("2020-05-06T07:08:09.5+02:00", "2020-05-06T05:08:09.500Z"),
    ("2020-05-06T07:08:09-0330", "2020-05-06T10:38:09.000Z"),
    ("2020-05-06T07:08:09.123456789z", "2020-05-06T07:08:09.123Z"),
    ("2020-12-31T24:00:00Z", "2021-01-01T00:00:00.000Z"),
  ])
  func `other forms of ISO 8601 are read`(text: String, same: String) {
    #expect(Instant(iso8601: text)?.iso8601 == same)
  }

  @Test(arguments: [
    "", "2020", "2020-13-01", "2020-02-30", "2020-05-06T", "2020-05-06T25:00",
    "2020-05-06T07:08:09.Z",
    "2020-05-06T07:08x", "20-05-06", "2020-05-06T07:08+99", "heute",
    "2020-05-06T07:08:09Z trailing",
    "１２３４-05-06",
  ])
  func `what is no date is none`(text: String) {
    #expect(Instant(iso8601: text) == nil)
  }

  @Test func `every moment within six-digit years comes back from its text`() {
    var random = SeededGenerator(for: #function)
    for _ in 0..<2000 {
      let instant = Instant(
        milliseconds: .random(in: -31_000_000_000_000_000...31_000_000_000_000_000, using: &random))
      #expect(Instant(iso8601: instant.iso8601) == instant)
    }
    for milliseconds in [Int64.min, .max] {
      #expect(!Instant(milliseconds: milliseconds).iso8601.isEmpty)
    }
  }
}
