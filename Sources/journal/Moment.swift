// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import JournalClient
import Posix

extension Instant {
  /// The time now.
  static var now: Instant { Instant(milliseconds: LocalTime.now.milliseconds) }

  private var seconds: Int {
    Int(milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000)
  }

  /// The local day and time to the minute, as people read it: `Sat 1660-01-10 21:00`.
  var shown: String {
    guard let time = LocalTime(secondsSince1970: seconds) else { return iso8601 }
    return "\(weekdays[time.weekday]) \(time.date) \(time.hour.two):\(time.minute.two)"
  }

  /// The local day: `1660-01-10`.
  var shownDay: String { LocalTime(secondsSince1970: seconds)?.date ?? iso8601 }

  /// How long ago, as a status line says it: `3m`.
  func age(at now: Instant) -> String {
    let seconds = max(0, (now.milliseconds - milliseconds) / 1000)
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m"
    case ..<172_800: return "\(seconds / 3600)h"
    default: return "\(seconds / 86_400)d"
    }
  }

  /// The moment in an option's value.
  static func parse(_ typed: String) throws -> Instant {
    guard let moment = Instant(typed: typed) else {
      throw ValidationError("'\(typed)' is no date; write 2026-11-24 or \"2026-11-24 21:00\"")
    }
    return moment
  }

  /// A moment as a person types it.
  ///
  /// `2026-11-24`, `2026-11-24 13:30`, the same with `T`, seconds, `Z` or `+01:00`; `today` and
  /// `yesterday`. Without a zone it is local; without a time, noon.
  init?(typed: String, now: Instant = .now) {
    if typed == "today" || typed == "yesterday" {
      self = now
      if typed == "yesterday" { milliseconds -= 86_400_000 }
      return
    }
    let form =
      #/(?<year>-?\d{1,6})-(?<month>\d{1,2})-(?<day>\d{1,2})(?:[T ](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d+)?)?)?(?<zone>Z|[+-]\d{2}:?\d{2})?/#
    guard let match = typed.wholeMatch(of: form),
      let year = Int(match.year), let month = Int(match.month), (1...12).contains(month),
      let day = Int(match.day), (1...31).contains(day),
      let hour = Int(match.hour ?? "12"), hour < 24, let minute = Int(match.minute ?? "0"),
      minute < 60, let second = Int(match.second ?? "0"), second < 61
    else { return nil }
    let time = LocalTime(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    let offset = match.zone.map { zone in
      let digits = zone.filter(\.isNumber)
      let value = (Int(digits.prefix(2)) ?? 0) * 3600 + (Int(digits.dropFirst(2)) ?? 0) * 60
      return zone.first == "-" ? -value : value
    }
    self.init(milliseconds: Int64(time.secondsSince1970(offset: offset)) * 1000)
  }
}

private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

extension LocalTime {
  fileprivate var date: String { "\(year.four)-\(month.two)-\(day.two)" }
}

extension Int {
  fileprivate var two: String { digits(2) }
  fileprivate var four: String {
    self < 0 ? "-" + (-self).digits(4) : digits(4)
  }
}
