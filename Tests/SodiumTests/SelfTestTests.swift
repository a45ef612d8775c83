// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Sodium

@Suite struct SelfTestTests {
  @Test func `C10: every primitive answers as it must`() {
    #expect(SelfTest.failures().isEmpty)
    #expect(Set(SelfTest.known.keys) == Set(SelfTest.Primitive.allCases))
  }

  @Test(arguments: SelfTest.Primitive.allCases)
  func `C10: a wrong answer is found, and names its primitive`(_ broken: SelfTest.Primitive) throws
  {
    var answers = SelfTest.known
    var answer = try #require(answers[broken])
    answer[answer.count - 1] ^= 1
    answers[broken] = answer
    #expect(SelfTest.failures(expecting: answers) == [broken])
  }

  @Test func `C7: a hardened process leaves no core dump and is not readable`() async {
    await #expect(processExitsWith: .success) {
      guard !isHardened, hardenProcess(), isHardened else { fatalError() }
    }
  }
}
