#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds and runs every Swift test, with a PostgreSQL of its own that is gone afterwards.
# Arguments go to `swift test`, for instance: scripts/test.sh --filter SyncEngine
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d /tmp/vault-postgres.XXXXXX)
chmod 755 "$folder"
trap 'scripts/postgres.sh stop "$folder"; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
VAULT_TEST_POSTGRES=$(scripts/postgres.sh start "$folder")
export VAULT_TEST_POSTGRES

# By product: a plain "swift build --build-tests" would also build protoc from its C++ sources, for
# plugins that nothing here uses. The same flags everywhere: others would build everything twice.
flags=(--explicit-target-dependency-import-check error)
for product in journal vaultd journal-vaultPackageTests; do
  swift build "${flags[@]}" --product "$product"
done
# One target after the other, each with its tests in parallel: all at once, a small machine makes
# those wait for each other that wait for a database.
if [ $# -gt 0 ]; then
  swift test "${flags[@]}" --skip-build "$@"
else
  for target in Tests/*Tests; do
    printf '\n-- %s\n' "${target#Tests/}"
    swift test "${flags[@]}" --skip-build --filter "^${target#Tests/}\\."
  done
fi
