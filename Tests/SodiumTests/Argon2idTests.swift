// SPDX-License-Identifier: Apache-2.0
import Foundation
import Sodium
import TestSupport
import Testing

@Suite struct Argon2idTests {
  struct Vector: Decodable {
    let name: String
    let password, salt: Hex
    let length, passes, memoryKiB: Int
  }

  @Test func `libsodium's own outputs`() throws {
    guard let file = try Repository.external("libsodium/pwhash_argon2id.exp") else { return }
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let outputs = lines.compactMap { [UInt8](hex: String($0)) }
    let inputs = try Vectors<Vector>.load("rfc/argon2id-inputs")
    #expect(inputs.count == 9 && outputs.count == 9)
    for (input, output) in zip(inputs, outputs) {
      let cost = Argon2id(passes: input.passes, memoryKiB: input.memoryKiB)
      let password = input.password.bytes
      let derived = try cost.derive(
        from: password.span, salt: input.salt.bytes, count: input.length
      ).array()
      #expect(derived == output, "\(input.name)")
    }
  }

  @Test func `an empty password is one`() throws {
    let cost = Argon2id(passes: 1, memoryKiB: 8)
    let salt = [UInt8](repeating: 7, count: 16)
    let nothing: [UInt8] = []
    let derived = try cost.derive(from: nothing.span, salt: salt, count: 16).array()
    #expect(derived.contains { $0 != 0 })
  }

  @Test func `A12: too little memory is an error, never a key of zeros`() async {
    await #expect(processExitsWith: .success) {
      try limitAddressSpace(toMoreMiB: 64)
      let password: [UInt8] = [1]
      #expect(throws: Argon2idError.outOfMemory(kibibytes: 262_144)) {
        _ = try Argon2id(passes: 3, memoryKiB: 262_144).derive(
          from: password.span, salt: [UInt8](repeating: 0, count: 16), count: 32)
      }
    }
  }
}

/// Lets this process have so much more address space than it has now, and no more.
private func limitAddressSpace(toMoreMiB more: UInt64) throws {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmSize:") })
  let kibibytes = try #require(line.split(separator: " ").compactMap { UInt64($0) }.first)
  let bytes = rlim_t(kibibytes * 1024 + more << 20)
  var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
  try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
}
