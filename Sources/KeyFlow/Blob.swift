// SPDX-License-Identifier: Apache-2.0
import Sodium

/// The one form of everything sealed (SPEC §6).
///
/// `header (20) ‖ salt (32) ‖ commitment (32) ‖ ciphertext ‖ tag (16)`, 612…1,081,444 bytes. Each
/// seal draws a salt and derives a key, a nonce and a commitment of its own, so no key seals twice.
public enum Blob {
  /// The lengths a blob can have.
  public static let sizes = size(content: 0)...size(content: Padding.largestContent)

  /// The largest content, 1 MiB.
  public static let largestContent = Padding.largestContent

  private static let saltEnd = BlobHeader.count + 32
  private static let prefix = saltEnd + 32

  /// The length of a blob with `content` bytes inside.
  public static func size(content: Int) -> Int {
    prefix + Padding.length(content: content) + AEAD.tagBytes
  }

  /// `content` (at most 1 MiB), sealed under the 32-byte `key` for exactly `binding`.
  ///
  /// About 10 µs for 2 KB. A retry sends the stored bytes; it never seals again.
  static func seal(
    _ content: Span<UInt8>, key: Span<UInt8>, binding: Binding
  ) -> [UInt8] {
    let salt = randomBytes(32)
    // A generator that repeats itself must not seal (ATTACKS B8).
    precondition(salt != randomBytes(32), "the system's randomness repeats itself")
    return seal(content, key: key, binding: binding, salt: salt)
  }

  /// As the other, with the salt given: for the vectors alone.
  static func seal(
    _ content: Span<UInt8>, key: Span<UInt8>, binding: Binding, salt: [UInt8]
  ) -> [UInt8] {
    precondition(content.count <= Padding.largestContent, "a blob holds at most 1 MiB")
    precondition(key.count == VaultKey.count && salt.count == 32, "a sealing key has 32 bytes")
    let okm = subkeys(key: key, salt: salt.span, binding: binding)
    var blob = binding.header + salt
    blob.reserveCapacity(size(content: content.count))
    okm.withBytes { blob.append(copying: $0.extracting(..<32)) }
    let data = blob + binding.uid.bytes + binding.oid.bytes
    blob += bigEndian(UInt32(content.count))
    blob.append(copying: content)
    let padding = Padding.length(content: content.count) - 4 - content.count
    blob += repeatElement(0, count: padding + AEAD.tagBytes)
    okm.withBytes { okm in
      var whole = blob.mutableSpan
      AEAD.sealInPlace(
        &whole, from: prefix, key: okm.extracting(32..<64), nonce: okm.extracting(64..<88),
        authenticating: data.span)
    }
    return blob
  }

  /// The content of `blob`, in memory that is wiped.
  ///
  /// The commitment is compared, in constant time, before the AEAD runs.
  ///
  /// - Throws: ``BlobError`` when `blob` is not what `key` and `binding` sealed. To people and to
  ///   the network all its cases are one.
  static func open(
    _ blob: Span<UInt8>, key: Span<UInt8>, binding: Binding
  ) throws(BlobError) -> SecretBytes {
    let header = try BlobHeader(blob)
    guard header.kind == binding.kind else { throw .kind }
    guard header.epoch == binding.epoch else { throw .epoch }
    guard header.revision == binding.revision else { throw .revision }
    let okm = subkeys(key: key, salt: blob.extracting(BlobHeader.count..<saltEnd), binding: binding)
    let padded = try okm.withBytes { (okm) throws(BlobError) -> SecretBytes in
      let commitment = blob.extracting(saltEnd..<prefix)
      guard constantTimeEqual(okm.extracting(..<32), commitment) else { throw .commitment }
      let data = blob.copy(at: 0, count: prefix) + binding.uid.bytes + binding.oid.bytes
      do {
        return try AEAD.open(
          blob.extracting(prefix...), key: okm.extracting(32..<64), nonce: okm.extracting(64..<88),
          authenticating: data.span)
      } catch {
        throw .aead
      }
    }
    let content = try padded.withBytes { (padded) throws(BlobError) -> Range<Int> in
      try contentRange(padded)
    }
    return padded.narrowed(to: content)
  }

  /// Where the content lies in an opened plaintext, whose length and padding must be canonical.
  private static func contentRange(_ padded: Span<UInt8>) throws(BlobError) -> Range<Int> {
    let count = Int(padded.integer(at: 0, as: UInt32.self))
    guard count <= Padding.largestContent, Padding.length(content: count) == padded.count
    else { throw .canonical }
    var rest: UInt8 = 0
    for index in 4 + count..<padded.count { rest |= padded[index] }
    guard rest == 0 else { throw .padding }
    return 4..<4 + count
  }

  /// `commitment (32) ‖ key (32) ‖ nonce (24)` of one blob.
  private static func subkeys(
    key: Span<UInt8>, salt: Span<UInt8>, binding: Binding
  ) -> SecretBytes {
    let info = Label.seal(binding.header + binding.uid.bytes + binding.oid.bytes)
    return HKDF.derive(salt: salt, ikm: key, info: info.bytes.span, count: 88, in: .heap)
  }
}

/// Why a blob does not open: the first check that failed, by its name in the vectors.
///
/// To people and to the network all of these are one error.
public enum BlobError: String, Error, Equatable, Sendable {
  /// Shorter or longer than any blob, or than what this kind holds.
  case length
  /// Not a KF1 blob.
  case magic
  /// A suite that this version does not know, or no longer accepts.
  case suite
  /// Two bytes that must be zero are not.
  case reserved
  /// Another kind of object than expected.
  case kind
  /// Sealed under another epoch's key than expected, or one that is not known.
  case epoch
  /// Another revision than expected.
  case revision
  /// Another key, salt, user or object than it was sealed with.
  case commitment
  /// The ciphertext or its header was altered.
  case aead
  /// The length inside is not the one that the padded length stands for.
  case canonical
  /// The padding is not zero.
  case padding
  /// The content inside is of a form that this version does not know.
  case version
  /// An Argon2id profile that is not in the table, or not one for this slot.
  case profile
  /// A lowest suite that this version does not know.
  case minSuite
  /// Entries that must rise do not.
  case order
  /// A device name that is empty, too long, or not UTF-8.
  case name
  /// An export container with no slot, or more than eight.
  case slots
  /// A way into an export container that this version does not know.
  case type
  /// Records of an export container were dropped, swapped, changed or added since it was made.
  case incomplete
}
