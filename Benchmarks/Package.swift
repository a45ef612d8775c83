// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the product does not depend on its tools. `run.py` drives it.
let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "journal-vault", path: "..")],
  targets: [
    // The bare libraries, as the limits to compare with.
    .systemLibrary(name: "CBare", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(
      name: "CStores", pkgConfig: "libpq", providers: [.apt(["libpq-dev", "libsqlite3-dev"])]),
    .executableTarget(
      name: "CryptoBenchmark",
      dependencies: ["CBare", .product(name: "KeyFlow", package: "journal-vault")]),
    .executableTarget(
      name: "ClientBenchmark",
      dependencies: [.product(name: "JournalClient", package: "journal-vault")]),
    .executableTarget(
      name: "StoreBenchmark",
      dependencies: [
        "CStores", .product(name: "KeyFlow", package: "journal-vault"),
        .product(name: "VaultServer", package: "journal-vault"),
      ]),
  ]
)
