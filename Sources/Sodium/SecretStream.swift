// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from spans of a known size.

#if canImport(Glibc)
  private import Glibc
#else
  private import Darwin
#endif

extension SecretBytes {
  /// At most `limit` bytes read from a file, pipe or socket until its end, straight into memory
  /// that is wiped.
  ///
  /// - Throws: ``SecretStreamError`` when reading fails, or more than `limit` bytes are there.
  public init(
    readingFrom descriptor: Int32, limit: Int, in memory: Memory = .guarded
  ) throws(SecretStreamError) {
    var count = 0
    let buffer = try SecretBytes(count: limit + 1, in: memory) { (out) throws(SecretStreamError) in
      while count <= limit {
        let got = unsafe out.withUnsafeMutableBytes { out in
          unsafe read(descriptor, out.baseAddress! + count, out.count - count)
        }
        if got < 0, errno == EINTR { continue }
        guard got >= 0 else { throw .system(code: errno) }
        guard got > 0 else { break }
        count += got
      }
      guard count <= limit else { throw .tooLong(limit: limit) }
    }
    self = buffer.slice(0..<count, in: memory)
  }

  /// Writes all the bytes to a file, pipe or socket.
  ///
  /// - Throws: ``SecretStreamError`` when writing fails.
  public borrowing func write(to descriptor: Int32) throws(SecretStreamError) {
    try withBytes { (bytes) throws(SecretStreamError) in
      var done = 0
      while done < bytes.count {
        let wrote = unsafe bytes.withUnsafeBytes { bytes in
          unsafe Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        }
        if wrote < 0, errno == EINTR { continue }
        guard wrote > 0 else { throw .system(code: errno) }
        done += wrote
      }
    }
  }
}

/// Why a secret could not be read or written.
public enum SecretStreamError: Error, Equatable {
  /// The system refused, with this `errno`.
  case system(code: Int32)
  /// There are more bytes than asked for.
  case tooLong(limit: Int)
}
