// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file: NeverForceUnwrap
// The pointers come from allocations of a known size, checked to have succeeded.
private import CSodium

#if canImport(Glibc)
  private import Glibc
#else
  private import Darwin
#endif

/// Bytes that must not outlive their use: a key, a password, an opened entry.
///
/// The type is `~Copyable`: its one owner is known at compile time, and the memory is wiped when
/// that owner's life ends, on every path, thrown errors included. Read with ``withBytes(_:)``.
/// Nothing here returns an `Array`, `Data` or `String`: those copy freely and are never wiped.
@safe
public struct SecretBytes: ~Copyable, @unchecked Sendable {
  // `@unchecked Sendable` is true because the bytes do not change after `init`.
  private let base: UnsafeMutableRawPointer
  private let memory: Memory
  /// What was allocated; ``narrowed(to:)`` shows less of it, and all of it is wiped.
  private let allocated: Int
  private let start: Int

  /// The length in bytes.
  public let count: Int

  /// Where the bytes lie.
  public enum Memory: Sendable {
    /// `sodium_malloc`: between guard pages, kept out of swap and core dumps where the system
    /// allows, read-only once filled. At least 16 KiB and about 50 µs each: for keys that stay.
    case guarded
    /// The ordinary heap, wiped before it is freed; well under 1 µs. For what lives microseconds:
    /// a subkey, one record on its way to the screen.
    case heap
  }

  /// Allocates `count` bytes and lends them to `fill`, which writes every one.
  ///
  /// - Parameters:
  ///   - count: The length in bytes; may be 0.
  ///   - memory: Where they lie; guarded memory unless told otherwise.
  ///   - fill: Writes the secret. The span starts out zeroed.
  /// - Throws: What `fill` throws, after wiping what it wrote.
  public init<E: Error>(
    count: Int, in memory: Memory = .guarded, fill: (inout MutableSpan<UInt8>) throws(E) -> Void
  ) throws(E) {
    _ = Library.ready
    let allocated =
      switch memory {
      case .guarded: unsafe sodium_malloc(count)
      case .heap: unsafe malloc(max(count, 1))
      }
    guard let base = unsafe allocated else {
      fatalError("cannot allocate \(count) bytes of secret memory")
    }
    unsafe self.base = base
    self.count = count
    self.memory = memory
    self.allocated = count
    start = 0
    unsafe sodium_memzero(base, count)
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: base, count: count)
    var span = unsafe MutableSpan<UInt8>(_unsafeBytes: bytes)
    try fill(&span)
    if memory == .guarded { unsafe sodium_mprotect_readonly(base) }
  }

  deinit {
    switch memory {
    case .guarded: unsafe sodium_free(base)
    case .heap:
      unsafe sodium_memzero(base, allocated)
      unsafe free(base)
    }
  }

  private init(
    base: UnsafeMutableRawPointer, memory: Memory, allocated: Int, start: Int, count: Int
  ) {
    unsafe self.base = base
    self.memory = memory
    self.allocated = allocated
    self.start = start
    self.count = count
  }

  /// The bytes `range` of this secret, in the same memory: nothing is copied.
  public consuming func narrowed(to range: Range<Int>) -> SecretBytes {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let narrowed = unsafe SecretBytes(
      base: base, memory: memory, allocated: allocated, start: start + range.lowerBound,
      count: range.count)
    discard self
    return narrowed
  }

  /// Lends the bytes for reading; the span cannot leave `body`.
  ///
  /// - Throws: What `body` throws.
  public borrowing func withBytes<R: ~Copyable, E: Error>(
    _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    let bytes = unsafe UnsafeRawBufferPointer(start: base + start, count: count)
    return try body(unsafe Span(_unsafeBytes: bytes))
  }

  /// A copy of `bytes`, which the caller wipes or knows not to be secret.
  public init(copying bytes: Span<UInt8>, in memory: Memory = .guarded) {
    self.init(count: bytes.count, in: memory) { out in
      unsafe out.withUnsafeMutableBytes { out in
        unsafe bytes.withUnsafeBytes { unsafe out.copyMemory(from: $0) }
      }
    }
  }

  /// The bytes `range` of this secret, as a secret of their own.
  public borrowing func slice(_ range: Range<Int>, in memory: Memory = .guarded) -> SecretBytes {
    withBytes { SecretBytes(copying: $0.extracting(range), in: memory) }
  }

  /// `count` bytes from the system's generator.
  public static func random(count: Int, in memory: Memory = .guarded) -> SecretBytes {
    SecretBytes(count: count, in: memory) { out in
      unsafe out.withUnsafeMutableBytes { out in
        guard let base = out.baseAddress else { return }
        unsafe randombytes_buf(base, out.count)
      }
    }
  }

  /// Whether both hold the same bytes, in time that depends on the lengths alone.
  public borrowing func matches(_ other: borrowing SecretBytes) -> Bool {
    withBytes { mine in other.withBytes { constantTimeEqual(mine, $0) } }
  }
}

/// Whether `a` and `b` hold the same bytes, in time that depends on the lengths alone.
public func constantTimeEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
  guard a.count == b.count else { return false }
  guard !a.isEmpty else { return true }
  return unsafe a.withUnsafeBytes { a in
    unsafe b.withUnsafeBytes { b in
      unsafe sodium_memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
    }
  }
}

/// `count` bytes from the system's generator, for what is public: ids, salts, nonces.
public func randomBytes(_ count: Int) -> [UInt8] {
  _ = Library.ready
  return unsafe [UInt8](unsafeUninitializedCapacity: count) { out, written in
    if count > 0 { unsafe randombytes_buf(out.baseAddress!, count) }
    written = count
  }
}

extension [UInt8] {
  /// Appends a copy of `bytes`: for what is public, or about to be sealed in place.
  public mutating func append(copying bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
