// SPDX-License-Identifier: Apache-2.0
internal import Sodium

/// Which characters a new password may hold: PRECIS FreeformClass (RFC 8264 §4.3, §8), one scalar
/// after the other.
///
/// One approximation: a zero-width non-joiner is accepted only after a virama, since the standard
/// library does not tell joining types. What RFC 8264 calls HasCompat needs no rule of its own
/// here: those characters are letters, marks, numbers, symbols, punctuation or spaces anyway.
struct FreeformRules {
  /// Checks a password in its normal form, UTF-8: two spellings are one password.
  ///
  /// - Throws: ``CredentialError/passwordNotText`` and ``CredentialError/passwordCharacter``.
  static func check(_ password: borrowing SecretBytes) throws(CredentialError) {
    try password.withBytes { (password) throws(CredentialError) in
      guard let text = try? UTF8Span(validating: password) else { throw .passwordNotText }
      var scalars = text.makeUnicodeScalarIterator()
      var rules = FreeformRules()
      while let scalar = scalars.next() {
        guard rules.accept(scalar) else { throw .passwordCharacter }
      }
      guard rules.finish() else { throw .passwordCharacter }
    }
  }

  private var previous: Unicode.Scalar?
  /// What the next scalar must be, because of the one before.
  private var demand: ((Unicode.Scalar) -> Bool)?
  private var hasKatakanaDot = false
  private var hasJapaneseScript = false
  private var hasArabicDigit = false
  private var hasExtendedArabicDigit = false

  /// Takes the next scalar; false when it may not stand here.
  private mutating func accept(_ scalar: Unicode.Scalar) -> Bool {
    if let demand, !demand(scalar) { return false }
    demand = nil
    defer { previous = scalar }
    hasJapaneseScript = hasJapaneseScript || Self.isJapaneseScript(scalar)
    return switch scalar.value {
    case 0x20...0x7E: true
    case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: false
    case 0x00B7, 0x0375, 0x05F3, 0x05F4, 0x30FB, 0x0660...0x0669, 0x06F0...0x06F9, 0x200C, 0x200D:
      acceptInContext(scalar)
    case 0x1100...0x11FF, 0xA960...0xA97F, 0xD7B0...0xD7FF: false  // Old Hangul Jamo
    default: Self.isFreeform(scalar.properties)
    }
  }

  /// Whether the password may end here.
  private func finish() -> Bool {
    demand == nil && (!hasKatakanaDot || hasJapaneseScript)
      && !(hasArabicDigit && hasExtendedArabicDigit)
  }

  /// The contextual rules (RFC 5892, appendix A).
  private mutating func acceptInContext(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00B7:  // between two l, as in Catalan
      demand = { $0 == "l" }
      return previous == "l"
    case 0x0375:  // before Greek
      demand = { (0x0370...0x03FF).contains($0.value) || (0x1F00...0x1FFF).contains($0.value) }
    case 0x05F3, 0x05F4:  // after Hebrew
      return previous.map { (0x0590...0x05FF).contains($0.value) } ?? false
    case 0x30FB: hasKatakanaDot = true
    case 0x0660...0x0669: hasArabicDigit = true
    case 0x06F0...0x06F9: hasExtendedArabicDigit = true
    default:  // joiners: after a virama
      return previous?.properties.canonicalCombiningClass == .virama
    }
    return true
  }

  private static func isFreeform(_ properties: Unicode.Scalar.Properties) -> Bool {
    if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
    return switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }

  private static func isJapaneseScript(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3041...0x309F, 0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9D: true
    default: scalar.properties.isIdeographic
    }
  }
}
