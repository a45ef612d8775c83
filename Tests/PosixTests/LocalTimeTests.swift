// SPDX-License-Identifier: Apache-2.0
import Posix
import Testing

@Suite struct LocalTimeTests {
  @Test(arguments: [0, -1, 1_700_000_000, -9_783_331_200, -62_135_596_800, 253_402_300_799])
  func `a moment comes back from its wall-clock time`(_ seconds: Int) throws {
    let time = try #require(LocalTime(secondsSince1970: seconds))
    #expect(time.secondsSince1970(offset: time.offset) == seconds)
  }

  @Test func `a wall-clock time ahead of UTC is earlier`() {
    let noon = LocalTime(year: 1660, month: 1, day: 10, hour: 12)
    #expect(noon.secondsSince1970(offset: 3600) == noon.secondsSince1970(offset: 0) - 3600)
  }
}
