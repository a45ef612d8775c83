// SPDX-License-Identifier: Apache-2.0

/// Why a file is no JSON: the place in bytes, never what stands there.
struct JSONError: Error, Equatable {
  /// Bytes from the beginning of the file.
  let offset: Int
}

/// Reads JSON piece by piece as it comes; deep nesting, endless values and broken text are errors,
/// never traps.
struct JSONReader {
  private static let deepest = 64
  /// The most bytes in one value that is taken as a whole.
  private static let largestValue = 64 << 20

  private let more: () throws(JournalError) -> [UInt8]
  private var buffer: [UInt8] = []
  private var place = 0
  /// Bytes before the buffer.
  private var passed = 0
  /// Where the value that is being read must end.
  private var limit = Int.max
  /// What reading the file failed with.
  private(set) var failure: JournalError?

  /// A reader of what `more` gives until it gives nothing.
  init(_ more: @escaping () throws(JournalError) -> [UInt8]) {
    self.more = more
    // A byte order mark is none of JSON, but some editors write one.
    if peek() == 0xEF {
      for byte in [0xEF, 0xBB, 0xBF] as [UInt8] where peek() == byte { place += 1 }
    }
  }

  /// Where the reader is, in bytes from the beginning.
  var offset: Int { passed + place }

  /// The next value, as a whole.
  ///
  /// - Throws: ``JSONError``.
  mutating func value() throws(JSONError) -> JSONValue {
    limit = offset + Self.largestValue
    defer { limit = Int.max }
    return try value(depth: 0)
  }

  /// Reads an array, whose elements `element` reads one by one.
  ///
  /// - Throws: ``JSONError``.
  mutating func array(
    _ element: (inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) {
    try expect("[")
    if take("]") { return }
    repeat { try element(&self) } while take(",")
    try expect("]")
  }

  /// Reads an object, whose members' values `member` reads one by one.
  ///
  /// - Throws: ``JSONError``.
  mutating func object(
    _ member: (String, inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) {
    try expect("{")
    if take("}") { return }
    repeat {
      skipSpace()
      let name = try string()
      try expect(":")
      try member(name, &self)
    } while take(",")
    try expect("}")
  }

  /// The first byte of what comes next; `nil` at the end.
  mutating func next() -> UInt8? {
    skipSpace()
    return peek()
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < Self.deepest, offset < limit else { throw JSONError(offset: offset) }
    switch next() {
    case UInt8(ascii: "{"):
      var members: [(name: String, value: JSONValue)] = []
      try object { (name, reader) throws(JSONError) in
        members.append((name, try reader.value(depth: depth + 1)))
      }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      try array { (reader) throws(JSONError) in
        elements.append(try reader.value(depth: depth + 1))
      }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for byte in word.utf8 {
      guard peek() == byte else { throw JSONError(offset: offset) }
      place += 1
    }
    return value
  }

  private mutating func number() throws(JSONError) -> String {
    var text: [UInt8] = []
    while let byte = peek(), "+-.0123456789eE".utf8.contains(byte), text.count < 400 {
      text.append(byte)
      place += 1
    }
    let number = String(decoding: text, as: UTF8.self)
    guard Double(number) != nil, let first = text.first, first != UInt8(ascii: "+"),
      first != UInt8(ascii: ".")
    else { throw JSONError(offset: offset) }
    return number
  }

  private mutating func string() throws(JSONError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while true {
      guard peek() != nil, offset < limit else { throw JSONError(offset: offset) }
      // Runs of plain bytes go over as one.
      let start = place
      var end = place
      while end < buffer.count, buffer[end] != UInt8(ascii: "\""), buffer[end] != UInt8(ascii: "\\")
      { end += 1 }
      text += buffer[start..<end]
      place = end
      guard end < buffer.count else { continue }
      place += 1
      if buffer[end] == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      try escape(into: &text)
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = peek() else { throw JSONError(offset: offset) }
    place += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hex()
      if (0xD800..<0xDC00).contains(code), peek() == UInt8(ascii: "\\") {
        place += 1
        guard peek() == UInt8(ascii: "u") else { throw JSONError(offset: offset) }
        place += 1
        let low = try hex()
        guard (0xDC00..<0xE000).contains(low) else { throw JSONError(offset: offset) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      // Half a surrogate pair is no character.
      let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
      text += Array(String(scalar).utf8)
    default: throw JSONError(offset: offset)
    }
  }

  private mutating func hex() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(),
        let digit = Character(Unicode.Scalar(byte)).hexDigitValue
      else { throw JSONError(offset: offset) }
      code = code << 4 | UInt32(digit)
      place += 1
    }
    return code
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
    guard take(character) else { throw JSONError(offset: offset) }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next() == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      place += 1
    }
  }

  private mutating func peek() -> UInt8? {
    if place < buffer.count { return buffer[place] }
    guard failure == nil else { return nil }
    do {
      let piece = try more()
      passed += buffer.count
      buffer = piece
      place = 0
    } catch {
      failure = error
      passed += buffer.count
      buffer = []
      place = 0
    }
    return buffer.first
  }
}
