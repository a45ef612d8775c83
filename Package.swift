// swift-tools-version: 6.2
import PackageDescription

/// Every target of the product: Swift 6, every unsafe line marked, no warning left.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Tests: the same language mode; strict memory safety is noise there.
let tests: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "journal-vault",
  products: [
    .library(name: "JournalClient", targets: ["JournalClient"]),
    .library(name: "KeyFlow", targets: ["KeyFlow"]),
    .library(name: "VaultServer", targets: ["VaultServer"]),
    .executable(name: "journal", targets: ["journal"]),
    .executable(name: "vaultd", targets: ["vaultd"]),
  ],
  dependencies: [
    // The wire contract and the payloads inside the seal. No traits: SwiftPM hands two of them to
    // the compiler in an order that changes from run to run, and compiles it all again each time.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    // SQLite: the server's default store and every device's local store.
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // The server's HTTP, TLS and HTTP/2.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    // The parts of a request as a channel sees them; Hummingbird brings it along.
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    // The client's HTTP.
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    // Commands, logs, lifecycle.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // Unsafe ground: module maps, then the only targets where `unsafe` may be written.
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(name: "Sodium", dependencies: ["CSodium"], swiftSettings: strict),
    .target(name: "LibPQ", dependencies: ["CPQ"], swiftSettings: strict),
    .target(name: "Posix", dependencies: ["Sodium"], swiftSettings: strict),

    // Leaves.
    .target(name: "KeyFlow", dependencies: ["Sodium"], swiftSettings: strict),
    .target(name: "KeyExchange", dependencies: ["Sodium"], swiftSettings: strict),
    .target(
      name: "VaultProtocol",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["vault.proto"], swiftSettings: strict),
    .target(
      name: "Migrations", path: "migrations",
      resources: [.embedInCode("server"), .embedInCode("local")], swiftSettings: strict),

    // Parts. VaultServer does not depend on KeyFlow: it cannot open what it stores.
    .target(
      name: "VaultServer",
      dependencies: [
        "VaultProtocol", "KeyExchange", "Sodium", "LibPQ", "Migrations",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "HummingbirdHTTP2", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ], swiftSettings: strict),
    .target(
      name: "JournalClient",
      dependencies: [
        "KeyFlow", "KeyExchange", "VaultProtocol", "Sodium", "Migrations",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Payload.proto"], swiftSettings: strict),

    // Programs.
    .executableTarget(
      name: "journal",
      dependencies: [
        "JournalClient", "KeyFlow", "Posix", "Sodium", "VaultProtocol",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "vaultd",
      dependencies: [
        "VaultServer", "VaultProtocol", "Sodium",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Sodium"], path: "Tests/TestSupport",
      swiftSettings: tests),
    .testTarget(
      name: "SodiumTests", dependencies: ["Sodium", "TestSupport"], swiftSettings: tests),
    // Both sides of OPAQUE as a process, for the tests against other implementations: they are in
    // Python, in keyflow/model.
    .executableTarget(
      name: "OPAQUEHelper", dependencies: ["KeyExchange", "Sodium", "TestSupport"],
      path: "Tests/OPAQUEHelper", swiftSettings: tests),
    .testTarget(
      name: "KeyExchangeTests",
      dependencies: ["KeyExchange", "OPAQUEHelper", "Sodium", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "KeyFlowTests",
      dependencies: ["CSodium", "KeyFlow", "KeyExchange", "Sodium", "TestSupport"],
      swiftSettings: tests),
    // What `make timing` measures comparisons of secrets with.
    .executableTarget(
      name: "TimingCheck", dependencies: ["Sodium"], path: "Tests/TimingCheck",
      swiftSettings: tests),
    // A process that the tests kill while it writes.
    .executableTarget(
      name: "CrashHelper", dependencies: ["JournalClient", "KeyFlow"], path: "Tests/CrashHelper",
      swiftSettings: tests),
    .testTarget(
      name: "JournalClientTests",
      dependencies: [
        "JournalClient", "KeyFlow", "Sodium", "CrashHelper", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: tests),
    .testTarget(name: "LibPQTests", dependencies: ["LibPQ"], swiftSettings: tests),
    .testTarget(
      name: "VaultHTTPTests",
      dependencies: [
        "VaultServer", "VaultProtocol", "KeyExchange", "LibPQ", "Sodium", "TestSupport", "vaultd",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ], swiftSettings: tests),

    // The store's contract as a list of facts, held on every driver.
    .target(
      name: "StoreConformance",
      dependencies: ["VaultServer", "VaultProtocol", "Sodium", "TestSupport"],
      path: "Tests/StoreConformance", swiftSettings: tests),
    .testTarget(
      name: "VaultServerTests",
      dependencies: [
        "VaultServer", "VaultProtocol", "LibPQ", "Migrations", "Sodium", "StoreConformance",
        "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: tests),

    // Whole devices against a whole server, honest and lying.
    .executableTarget(
      name: "SyncHelper", dependencies: ["JournalClient", "KeyExchange", "Sodium"],
      path: "Tests/SyncHelper", swiftSettings: tests),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "SyncHelper", "JournalClient", "VaultServer", "VaultProtocol", "KeyFlow", "KeyExchange",
        "LibPQ", "Sodium", "TestSupport",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], swiftSettings: tests),
    .testTarget(name: "PosixTests", dependencies: ["Posix", "Sodium"], swiftSettings: tests),
    // Runs the two programs; they are dependencies so that they are built.
    .testTarget(
      name: "CommandTests", dependencies: ["journal", "vaultd", "Posix", "Sodium"],
      exclude: ["sessions", "terminal.py"], swiftSettings: tests),
  ]
)
