#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the linked programs hold, and what they must not:
#   - vaultd cannot open what it stores: no symbol of KeyFlow, JournalClient or the CLI;
#   - KeyFlow needs no Foundation: a program of KeyFlow and Sodium alone links without it.
# Reads the debug build that scripts/test.sh made.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(swift build --show-bin-path)
fail() { echo "linkage.sh: error: $*" >&2; exit 1; }

# A mangled Swift name spells its module as length and name.
symbols() { nm --defined-only "$1" 2>/dev/null | grep -c "\$s$2" || true; }

[ "$(symbols "$bin/journal" 7KeyFlow)" -gt 0 ] || fail "the search sees no KeyFlow in journal, where it is"
for module in 7KeyFlow 13JournalClient; do
  found=$(symbols "$bin/vaultd" "$module")
  [ "$found" = 0 ] || fail "vaultd holds $found symbols of $module"
done
echo "vaultd holds no KeyFlow"

# ATTACKS A10: nothing is ever encrypted to somebody's public key.
for program in journal vaultd; do
  [ "$(nm -D --undefined-only "$bin/$program" | grep -c ' crypto_aead_')" -gt 0 ] || [ $program = vaultd ] ||
    fail "the search sees no crypto_aead_ in journal, where it is"
  if nm -D --undefined-only "$bin/$program" | grep -E ' crypto_(box|kx)'; then
    fail "$program uses a primitive that encrypts to a public key"
  fi
done
echo "no program encrypts to a public key"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/Small.swift" <<'SWIFT'
import KeyFlow
import Sodium

@main struct Small {
  static func main() { print(RecoveryCode.self, SecretBytes.Memory.guarded) }
}
SWIFT
swiftc -parse-as-library -I "$bin/Modules" -Xcc -fmodule-map-file="$PWD/Sources/CSodium/module.modulemap" \
  "$folder/Small.swift" "$bin"/KeyFlow.build/*.o "$bin"/Sodium.build/*.o -lsodium -o "$folder/small"
"$folder/small" >/dev/null || fail "the program of KeyFlow alone does not run"
if ldd "$folder/small" | grep -q Foundation; then fail "KeyFlow pulls in Foundation"; fi
echo "KeyFlow links without Foundation"
