// SPDX-License-Identifier: Apache-2.0

/// An operator's settings for the HTTP side; ``StorePolicy`` holds those of the store.
public struct ServerConfiguration: Sendable {
  /// Whom the server takes as a new account.
  public enum Registration: String, Sendable, CaseIterable {
    /// Everyone.
    case open
    /// Who has an invitation for the name (`vaultd invite NAME`).
    case invitation
    /// Nobody.
    case closed
  }

  /// Who may register.
  public var registration: Registration = .open
  /// The last hop of `X-Forwarded-For` is the client's address, written by a proxy of one's own.
  public var isBehindProxy = false
  /// How often an account's name may be tried.
  public var nameRate = TokenBuckets.Rate(burst: 10, interval: .seconds(60))
  /// How often an address may try names or register.
  public var addressRate = TokenBuckets.Rate(burst: 100, interval: .seconds(6))
  /// How often a user may commit: each commit leaves a head, of which none ever goes.
  public var commitRate = TokenBuckets.Rate(burst: 3_000, interval: .seconds(1))
  /// The oldest `journal` that may use this server, as (major, minor).
  public var oldestClient = ClientVersion(major: 0, minor: 1)
  /// Bytes of users' request bodies held in memory at once, over all connections.
  public var bodyMemory = 256 << 20
  /// The same for requests without a session: registrations and logins.
  public var strangerMemory = 64 << 20
  /// How fast bodies have to come and answers to be taken.
  public var pace = ClientPace()
  /// Requests one user may have under way, waiting ones apart.
  public var requestsPerUser = 8
  /// Connections held at once; further ones wait in the system's queue.
  public var connections = 16_384
  /// Waiting requests one user may have.
  public var waitsPerUser = 32
  /// The user's quota, as announced; the store keeps it.
  public var policy = StorePolicy()
  /// The version that `GET /v1/server` names.
  public var version = "0.1"

  /// The defaults.
  public init() {}
}

/// A client's version as in `User-Agent: journal/1.2`.
public struct ClientVersion: Comparable, Sendable {
  /// Changes that break the contract.
  public var major: Int
  /// Changes that do not.
  public var minor: Int

  /// Version `major.minor`.
  public init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// The version in a `User-Agent` value that begins with `journal/x.y`; nothing for another client.
  init?(userAgent: String) {
    guard userAgent.hasPrefix("journal/") else { return nil }
    let version = userAgent.dropFirst("journal/".count).prefix { $0.isNumber || $0 == "." }
    let numbers = version.split(separator: ".").compactMap { Int($0) }
    self.init(major: numbers.first ?? 0, minor: numbers.dropFirst().first ?? 0)
  }

  /// Whether `a` is older than `b`.
  public static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }
}
