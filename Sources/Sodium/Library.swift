// SPDX-License-Identifier: Apache-2.0
private import CSodium

/// The libsodium of this process, initialised once.
enum Library {
  /// Touched first by every entry point of this module that needs randomness or locked memory.
  ///
  /// `sodium_init` returns 0 on the first call, 1 on later ones and -1 when the system has no
  /// randomness to give; then nothing here is safe, so the process stops.
  static let ready: Void = {
    precondition(sodium_init() >= 0, "libsodium: no source of randomness")
  }()
}
