#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole gate. Every step must pass; the first that does not ends it, and is named.
set -euo pipefail
cd "$(dirname "$0")/.."

step=start
trap 'status=$?; [ $status = 0 ] || echo "check: FAILED at: $step" >&2' EXIT
begin() { step=$1; printf '\n== %s\n' "$step"; }
fail() { echo "check: $*" >&2; exit 1; }

begin "install what is missing"
scripts/setup.sh check

begin "format"
# Generated protobuf is not ours to format.
git ls-files -z '*.swift' ':!:*.pb.swift' | xargs -0 swift format lint --strict
echo "clean"

begin "house"
while read -r file; do
  head -n 1 "$file" | grep -q 'SPDX-License-Identifier\|swift-tools-version' || fail "$file: no SPDX line"
done < <(git ls-files '*.swift' ':!:*.pb.swift')
none() { # none "what it would be" LINES
  [ -z "$2" ] || fail "$1:"$'\n'"$2"
}
none "unsafe code outside Sodium, LibPQ and Posix" "$(
  git grep -nE '^[^/"]*(\bunsafe |@unchecked|nonisolated\(unsafe\))' -- 'Sources/*.swift' \
    ':!:Sources/Sodium' ':!:Sources/LibPQ' ':!:Sources/Posix' ':!:*.pb.swift' || true)"
none "Foundation where it may not be" "$(
  git grep -nE '^[^/]*import Foundation' -- Sources/Sodium Sources/KeyFlow Sources/KeyExchange || true)"
none "encryption to a public key (ATTACKS A10)" "$(
  git grep -nE 'crypto_(box|kx)' -- Sources || true)"
none "a secret taken as an argument or from the environment" "$(
  git grep -nE '@(Option|Argument)\(.*(password|passphrase|secret)' -- 'Sources/*.swift' |
    grep -v -- '-file' || true
  git grep -nE 'environment\[".*(PASSWORD|PASSPHRASE|SECRET)' -- 'Sources/*.swift' || true)"
echo "kept"

begin "attacks and mutants"
scripts/attacks.py
scripts/mutants.py --check

begin "tests"
scripts/test.sh

begin "vectors, the second implementation, other people's OPAQUE and the models"
.venv/bin/python keyflow/model/keyflow.py check
VAULT_OPAQUE_HELPER="$(swift build --show-bin-path)/OPAQUEHelper" \
  .venv/bin/python -m pytest -q keyflow/model
keyflow/model/run-spin.sh

begin "what the programs are linked from"
scripts/linkage.sh

if command -v protoc >/dev/null; then
  begin "generated protobuf"
  scripts/generate-protobuf.sh >/dev/null
  git diff --exit-code -- '*.pb.swift' || fail "generated protobuf differs from its .proto"
  echo "as committed"
fi

if [ -f docs/openapi.yaml ]; then
  begin "OpenAPI"
  .venv/bin/python scripts/openapi.py
fi

if [ -f demo/demo.py ]; then
  begin "demo"
  make --no-print-directory demo
fi

printf '\ncheck: every step passed\n'
