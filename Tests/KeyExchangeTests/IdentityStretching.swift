// SPDX-License-Identifier: Apache-2.0
import KeyExchange
import Sodium

/// No stretching at all: what the RFC's vectors use, and tests that are not about cost.
struct IdentityStretching: KeyStretching {
  func stretch(_ secret: borrowing SecretBytes) throws(Argon2idError) -> SecretBytes {
    secret.slice(0..<secret.count)
  }
}
