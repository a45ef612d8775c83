#!/usr/bin/env bash
# The server cannot open what it stores: the linked vaultd holds no symbol of KeyFlow.
# The same search must find some in journal, or it proves nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
configuration="${1:-debug}"
swift build --configuration "$configuration" --product vaultd >/dev/null
swift build --configuration "$configuration" --product journal >/dev/null
folder="$(swift build --configuration "$configuration" --show-bin-path)"

# Mangled names of the module begin with its length and name.
count() { { nm "$folder/$1" || true; } 2>/dev/null | grep -c '7KeyFlow' || true; }

control="$(count journal)"
if [ "$control" -eq 0 ]; then
  echo "check-no-keyflow: no KeyFlow symbol in journal either: the check is broken" >&2
  exit 1
fi
found="$(count vaultd)"
if [ "$found" -ne 0 ]; then
  echo "check-no-keyflow: vaultd holds $found symbols of KeyFlow; it must hold none" >&2
  exit 1
fi
echo "check-no-keyflow: vaultd holds none of KeyFlow's symbols, journal $control"
