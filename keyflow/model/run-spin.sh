#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the Spin models in every variant that their comments name, in lines such as
#     check: -DPIN -DNH=9 holds
#     check: fails
# A variant that must fail and finds no violated assertion is an error too: a proof that cannot
# fail proves nothing.
set -eu
models=$(cd "$(dirname "$0")/spin" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# run MODEL EXPECTED FLAGS…: EXPECTED is "holds" or "fails"
run() {
  model=$1 expected=$2
  shift 2
  spin "$@" -a "$model" >spin.log || { cat spin.log; exit 1; }
  gcc -w -O2 -DSAFETY -o pan pan.c
  ./pan -m1000000 >pan.log 2>&1 || true
  result='did not run'
  if grep -q 'errors: 0$' pan.log; then result=holds; fi
  if grep -q 'assertion violated' pan.log; then result=fails; fi
  if grep -q 'search depth too small\|out of memory' pan.log; then result=unfinished; fi
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log)
  verdict=ok
  if [ "$result" != "$expected" ]; then verdict=WRONG failed=1; cat pan.log; fi
  printf '%-5s %-16s %-18s %s, expected: %s; %s states\n' \
    "$verdict" "$(basename "$model")" "$*" "$result" "$expected" "$states"
}

for model in "$models"/*.pml; do
  sed -n 's/^.*check: *\(.*\(holds\|fails\)\) *$/\1/p' "$model" >variants
  [ -s variants ] || { echo "$model names no variant to check" >&2; exit 1; }
  while read -r line; do
    # shellcheck disable=SC2086
    run "$model" "${line##* }" $(echo "$line" | sed 's/[a-z]*$//') </dev/null
  done <variants
done
exit $failed
