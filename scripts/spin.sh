#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Spin model in every variant that its comments name, in lines such as
#     check: -DPIN -DNH=4 holds
#     check: -DNH=4 fails
# A variant that must fail and does not is an error too: it shows that the model can see the attack.
set -euo pipefail
model=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
count=0
while read -r line; do
  flags=${line% *} expected=${line##* }
  [ "$flags" != "$line" ] || flags=
  # shellcheck disable=SC2086
  spin $flags -a "$model" >/dev/null
  # shellcheck disable=SC2086
  gcc -w -O2 -DSAFETY -DCOLLAPSE $flags -o pan pan.c
  ./pan -m1000000 >result
  if grep -q 'errors: 0' result; then seen=holds; else seen=fails; fi
  if grep -q 'search depth too small\|out of memory' result; then seen=unfinished; fi
  [ "$seen" = "$expected" ] || { cat result >&2; echo "spin.sh: error: $(basename "$model") $flags: $seen, not $expected" >&2; exit 1; }
  echo "$(basename "$model") ${flags:-as it is}: $seen, as it must"
  count=$((count + 1))
done < <(sed -n 's/^.*check: *\(.*\(holds\|fails\)\).*$/\1/p' "$model")
[ "$count" -gt 0 ] || { echo "spin.sh: error: $(basename "$model") names no variant to check" >&2; exit 1; }
