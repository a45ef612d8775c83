// SPDX-License-Identifier: Apache-2.0
import Sodium
import TestSupport
import Testing

@Suite(.serialized) struct SecretBytesTests {
  @Test func `two random values differ`() {
    let a = SecretBytes.random(count: 32)
    let b = SecretBytes.random(count: 32)
    let same = a.matches(b)
    #expect(!same)
  }

  @Test(arguments: [SecretBytes.Memory.guarded, .heap])
  func `a copy matches`(memory: SecretBytes.Memory) {
    let a = SecretBytes.random(count: 32, in: memory)
    let b = a.slice(0..<32, in: memory)
    let same = a.matches(b)
    #expect(same)
  }

  @Test func `another length does not match`() {
    let a = SecretBytes([1, 2, 3])
    let b = SecretBytes([1, 2])
    let same = a.matches(b)
    #expect(!same)
  }

  @Test(arguments: [SecretBytes.Memory.guarded, .heap])
  func `an empty secret is a secret`(memory: SecretBytes.Memory) {
    let empty = SecretBytes.random(count: 0, in: memory)
    let count = empty.count
    #expect(count == 0)
  }

  @Test func `a secret starts out zeroed`() {
    let secret = SecretBytes(count: 64) { _ in }
    let bytes = secret.array()
    #expect(bytes == [UInt8](repeating: 0, count: 64))
  }

  @Test func `a filled guarded secret cannot be written`() async {
    await #expect(processExitsWith: .failure) {
      SecretBytes.random(count: 32).withBytes { span in
        span.withUnsafeBufferPointer { bytes in
          UnsafeMutablePointer(mutating: bytes.baseAddress!).pointee = 1
        }
      }
    }
  }

  @Test func `reading past the end of a guarded secret stops the process`() async {
    await #expect(processExitsWith: .failure) {
      SecretBytes.random(count: 32).withBytes { span in
        span.withUnsafeBufferPointer { bytes in print(bytes.baseAddress![32]) }
      }
    }
  }

  @Test(arguments: [SecretBytes.Memory.guarded, .heap])
  func `C7: nothing is left of a dropped secret`(memory: SecretBytes.Memory) throws {
    let masked = try makeDroppedSecret(in: memory)
    #expect(try copiesInMemory(of: masked) == 0)
  }

  @Test(arguments: [SecretBytes.Memory.guarded, .heap])
  func `nothing is left of a secret whose making failed`(memory: SecretBytes.Memory) throws {
    struct Failure: Error {}
    var masked: [UInt8] = []
    #expect(throws: Failure.self) {
      _ = try SecretBytes(count: Self.count, in: memory) { out in
        let secret = SecretBytes.random(count: Self.count)
        secret.withBytes { out.write($0) }
        masked = Self.maskedMiddle(of: secret)
        throw Failure()
      }
    }
    #expect(masked.count == 32)
    #expect(try copiesInMemory(of: masked) == 0)
  }

  /// The allocator writes over the beginning of what is freed, and keeps blocks of this size for
  /// the next one of the same: what was not wiped is still in the middle.
  private static let count = 512

  private static func maskedMiddle(of secret: borrowing SecretBytes) -> [UInt8] {
    secret.withBytes { span in (256..<288).map { span[$0] ^ mask } }
  }

  /// A secret made and dropped, as masked bytes.
  private func makeDroppedSecret(in memory: SecretBytes.Memory) throws -> [UInt8] {
    let secret = SecretBytes.random(count: Self.count, in: memory)
    let masked = Self.maskedMiddle(of: secret)
    #expect(try copiesInMemory(of: masked) == 1, "the search does not see a live secret")
    return masked
  }
}

@Suite struct NarrowedSecretTests {
  @Test(arguments: [true, false])
  func `a narrowed secret shows its range and nothing else`(guarded: Bool) {
    let secret = SecretBytes(count: 10, in: guarded ? .guarded : .heap) { out in
      for index in 0..<10 { out[index] = UInt8(index) }
    }
    let narrowed = secret.narrowed(to: 2..<9).narrowed(to: 1..<3)
    let bytes = narrowed.withBytes { span in span.indices.map { span[$0] } }
    #expect(bytes == [3, 4])
    let copy = narrowed.slice(1..<2, in: .heap)
    let last = copy.withBytes { $0[0] }
    #expect(last == 4)
  }
}
