// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// A test's own memory must not hold what it looks for: secrets are kept masked.
let mask: UInt8 = 0xA5

/// How often the unmasked bytes stand in this process's private memory (Linux).
func copiesInMemory(of masked: [UInt8]) throws -> Int {
  // `String(contentsOfFile:)` reads such a file only in part.
  let mapsFile = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
  let maps = String(decoding: try #require(try mapsFile.readToEnd()), as: UTF8.self)
  let memory = open("/proc/self/mem", O_RDONLY)
  try #require(memory >= 0)
  defer { close(memory) }
  // What is read is copied to here, so nothing that lies here counts.
  let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4_096)
  defer {
    window.initializeMemory(as: UInt8.self, repeating: 0)
    window.deallocate()
  }
  var found = 0
  for line in maps.split(separator: "\n") {
    let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    let isAnonymous = fields.count < 6 || fields[5] == "[heap]" || fields[5] == "[stack]"
    guard fields[1].hasPrefix("r"), fields[1].hasSuffix("p"), isAnonymous else { continue }
    let ends = fields[0].split(separator: "-").compactMap { Int($0, radix: 16) }
    var start = ends[0]
    while start < ends[1] {
      let count = pread(
        memory, window.baseAddress, min(window.count, ends[1] - start), off_t(start))
      guard count >= masked.count else { break }
      let bytes = UnsafeRawBufferPointer(rebasing: window[..<count])
      found += addresses(of: masked, in: bytes, at: start).count { !window.holds($0) }
      start += max(count - masked.count + 1, 1)
    }
  }
  return found
}

/// Where the unmasked bytes stand in `bytes`, which were read at `start`.
private func addresses(of masked: [UInt8], in bytes: UnsafeRawBufferPointer, at start: Int) -> [Int]
{
  var found: [Int] = []
  var rest = bytes[...]
  while rest.count >= masked.count, let hit = rest.firstIndex(matching: masked[0] ^ mask) {
    rest = rest[hit...]
    let isCopy = rest.count >= masked.count && zip(rest, masked).allSatisfy { $0 == $1 ^ mask }
    if isCopy { found.append(start + hit) }
    rest = rest.dropFirst()
  }
  return found
}

extension UnsafeMutableRawBufferPointer {
  /// Whether the address lies in this buffer.
  fileprivate func holds(_ address: Int) -> Bool {
    (Int(bitPattern: baseAddress)..<Int(bitPattern: baseAddress) + count).contains(address)
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// `firstIndex(of:)` at the speed of `memchr`, which a debug build needs here.
  fileprivate func firstIndex(matching byte: UInt8) -> Int? {
    guard let start = base.baseAddress?.advanced(by: startIndex) else { return nil }
    return memchr(start, Int32(byte), count).map { startIndex + (UnsafeRawPointer($0) - start) }
  }
}
