// SPDX-License-Identifier: Apache-2.0
import Testing
import VaultServer

/// One sentence of ``VaultStore``'s contract, with the steps that show it on any store.
///
/// A fact makes its own users and looks at nobody else's, so that all of them can run at once on
/// one database that is never emptied.
public struct Fact: Sendable, CustomTestStringConvertible {
  /// The sentence.
  public let testDescription: String

  private let policy: StorePolicy
  private let steps: @Sendable (any VaultStore) async throws -> Void

  init(
    _ sentence: String, policy: StorePolicy = StorePolicy(),
    _ steps: @escaping @Sendable (any VaultStore) async throws -> Void
  ) {
    testDescription = sentence
    self.policy = policy
    self.steps = steps
  }

  /// Records an issue wherever the store that `open` gives does otherwise.
  ///
  /// - Throws: What the store throws where it should not.
  public func hold(
    on open: (StorePolicy) async throws -> any VaultStore
  ) async throws {
    let store = try await open(policy)
    do {
      try await steps(store)
    } catch {
      await store.close()
      throw error
    }
    await store.close()
  }

  /// The whole contract.
  public static let all: [Fact] =
    accounts + sessions + commits + concurrency + feed + history + keys + recovery + startOver
    + deletion + reset + isolation + operation + model
}

/// A policy that differs from the default one.
func policy(_ change: (inout StorePolicy) -> Void) -> StorePolicy {
  var policy = StorePolicy()
  change(&policy)
  return policy
}
