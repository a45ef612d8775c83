// SPDX-License-Identifier: Apache-2.0

extension Instant {
  private static let dayLength: Int64 = 86_400_000

  /// Reads ISO 8601, UTC where it names no offset.
  ///
  /// `YYYY-MM-DD`, then optionally `T` or a space and `HH:MM[:SS[.fff…]]`, then optionally `Z` or an
  /// offset. Years are 0000…9999, or signed with six digits.
  public init?(iso8601 text: some StringProtocol) {
    var scanner = DateScanner(text.utf8)
    guard let milliseconds = scanner.instant() else { return nil }
    self.init(milliseconds: milliseconds)
  }

  /// `YYYY-MM-DDTHH:MM:SS.mmmZ`; a year beyond 0…9999 has a sign and six digits.
  public var iso8601: String {
    var day = milliseconds / Self.dayLength
    var rest = milliseconds % Self.dayLength
    if rest < 0 {
      rest += Self.dayLength
      day -= 1
    }
    let (year, month, dayOfMonth) = civilDate(day)
    var text: [UInt8] = []
    if (0...9999).contains(year) {
      append(&text, year, digits: 4)
    } else {
      text.append(UInt8(ascii: year < 0 ? "-" : "+"))
      append(&text, abs(year), digits: 6)
    }
    text.append(UInt8(ascii: "-"))
    append(&text, month, digits: 2)
    text.append(UInt8(ascii: "-"))
    append(&text, dayOfMonth, digits: 2)
    text.append(UInt8(ascii: "T"))
    append(&text, rest / 3_600_000, digits: 2)
    text.append(UInt8(ascii: ":"))
    append(&text, rest / 60_000 % 60, digits: 2)
    text.append(UInt8(ascii: ":"))
    append(&text, rest / 1000 % 60, digits: 2)
    text.append(UInt8(ascii: "."))
    append(&text, rest % 1000, digits: 3)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }
}

private func append(_ text: inout [UInt8], _ number: Int64, digits: Int) {
  var divisor: Int64 = 1
  for _ in 1..<digits { divisor *= 10 }
  while divisor > 0 {
    text.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
    divisor /= 10
  }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms").
private func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
  let year = month <= 2 ? year - 1 : year
  let era = (year >= 0 ? year : year - 399) / 400
  let yearOfEra = year - era * 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/// The inverse of ``dayNumber(_:_:_:)``, from the same source.
private func civilDate(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let day = day + 719_468
  let era = (day >= 0 ? day : day - 146_096) / 146_097
  let dayOfEra = day - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shifted = (5 * dayOfYear + 2) / 153
  let month = shifted < 10 ? shifted + 3 : shifted - 9
  return (
    yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
  )
}

/// Reads the digits of a date; whatever does not fit is no date.
private struct DateScanner {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes.prefix(48))
  }

  mutating func instant() -> Int64? {
    guard let year = year(), take("-"), let month = number(2), take("-"), let day = number(2),
      (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let number = dayNumber(year, month, day)
    guard civilDate(number) == (year, month, day) else { return nil }
    var milliseconds = number * 86_400_000
    guard place < bytes.count else { return milliseconds }
    guard take("T") || take("t") || take(" "), let time = time(), let offset = offset(),
      place == bytes.count
    else { return nil }
    milliseconds += time - offset * 60_000
    return milliseconds
  }

  private mutating func year() -> Int64? {
    if take("+") { return number(6) }
    if take("-") { return number(6).map { -$0 } }
    return number(4)
  }

  private mutating func time() -> Int64? {
    guard let hour = number(2), take(":"), let minute = number(2), hour <= 24, minute < 60 else {
      return nil
    }
    var milliseconds = (hour * 60 + minute) * 60_000
    if take(":") {
      guard let second = number(2), second <= 60 else { return nil }
      milliseconds += min(second, 59) * 1000
      if take(".") || take(",") {
        var scale: Int64 = 100
        let start = place
        while let digit = digit() {
          milliseconds += digit * scale
          scale /= 10
        }
        guard place > start else { return nil }
      }
    }
    return milliseconds <= 86_400_000 ? milliseconds : nil
  }

  /// Minutes east of UTC.
  private mutating func offset() -> Int64? {
    if place == bytes.count || take("Z") || take("z") { return 0 }
    _ = take(" ")
    let sign: Int64
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
    guard let hours = number(2), hours < 24 else { return nil }
    _ = take(":")
    guard place < bytes.count else { return sign * hours * 60 }
    guard let minutes = number(2), minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func digit() -> Int64? {
    guard place < bytes.count, (0x30...0x39).contains(bytes[place]) else { return nil }
    place += 1
    return Int64(bytes[place - 1] - 0x30)
  }

  private mutating func number(_ digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }
}
