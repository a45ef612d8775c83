// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A moment on the wall clock of this computer's time zone, at any time in history.
public struct LocalTime: Equatable, Sendable {
  /// The year, proleptic Gregorian.
  public var year: Int
  /// The month, 1…12.
  public var month: Int
  /// The day of the month, 1…31.
  public var day: Int
  /// The hour, 0…23.
  public var hour: Int
  /// The minute, 0…59.
  public var minute: Int
  /// The second, 0…60.
  public var second: Int
  /// The day of the week, 0 is Sunday.
  public private(set) var weekday = 0
  /// Seconds that this clock is ahead of UTC.
  public private(set) var offset = 0

  /// A wall-clock time; a field out of its range carries over, and the weekday is worked out later.
  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The wall-clock time at `seconds` since 1970 UTC; `nil` where the year does not fit the system.
  public init?(secondsSince1970 seconds: Int) {
    var moment = time_t(seconds)
    var broken = unsafe tm()
    tzset()
    guard unsafe localtime_r(&moment, &broken) != nil else { return nil }
    unsafe self.init(broken)
  }

  private init(_ broken: tm) {
    self.init(
      year: unsafe Int(broken.tm_year) + 1900, month: unsafe Int(broken.tm_mon) + 1,
      day: unsafe Int(broken.tm_mday),
      hour: unsafe Int(broken.tm_hour), minute: unsafe Int(broken.tm_min),
      second: unsafe Int(broken.tm_sec))
    weekday = unsafe Int(broken.tm_wday)
    offset = unsafe broken.tm_gmtoff
  }

  /// Seconds since 1970 UTC, read in this computer's time zone, or `offset` seconds ahead of UTC.
  public func secondsSince1970(offset: Int? = nil) -> Int {
    var broken = unsafe tm()
    unsafe broken.tm_year = Int32(clamping: year - 1900)
    unsafe broken.tm_mon = Int32(clamping: month - 1)
    unsafe broken.tm_mday = Int32(clamping: day)
    unsafe broken.tm_hour = Int32(clamping: hour)
    unsafe broken.tm_min = Int32(clamping: minute)
    unsafe broken.tm_sec = Int32(clamping: second)
    unsafe broken.tm_isdst = -1
    if let offset { return unsafe timegm(&broken) - offset }
    return unsafe mktime(&broken)
  }

  /// The IANA name of this computer's time zone, "UTC" where it has none.
  public static var zoneName: String {
    if let set = unsafe getenv("TZ") {
      let name = unsafe String(cString: set)
      return name.hasPrefix(":") ? String(name.dropFirst()) : name
    }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return unsafe readlink("/etc/localtime", base, bytes.count)
    }
    guard count > 0 else { return "UTC" }
    let path = String(decoding: buffer.prefix(count), as: UTF8.self)
    guard let range = path.firstRange(of: "zoneinfo/") else { return "UTC" }
    return String(path[range.upperBound...])
  }

  /// Seconds since 1970 UTC and milliseconds, now.
  public static var now: (seconds: Int, milliseconds: Int64) {
    var clock = timespec()
    _ = unsafe clock_gettime(CLOCK_REALTIME, &clock)
    return (clock.tv_sec, Int64(clock.tv_sec) * 1000 + Int64(clock.tv_nsec) / 1_000_000)
  }
}
