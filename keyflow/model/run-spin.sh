#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the Spin models: the design without an error, each weakened variant with one. A variant
# that finds no error fails as well: a proof that cannot fail proves nothing.
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
  spin "$@" -a "$models/$model.pml" >spin.log || { cat spin.log; exit 1; }
  gcc -w -O2 -DSAFETY -o pan pan.c
  ./pan -m1000000 >pan.log 2>&1 || true
  if grep -q 'errors: 0$' pan.log && ! grep -q 'max search depth too small' pan.log; then
    result=holds
  elif grep -q 'errors: [1-9]' pan.log && grep -q 'assertion violated' pan.log; then
    result=fails
  else
    result='did not run'
    cat pan.log
  fi
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log)
  verdict=ok
  if [ "$result" != "$expected" ]; then verdict=WRONG failed=1; fi
  printf '%-5s %-12s %-24s %s (expected: %s), %s states\n' \
    "$verdict" "$model" "$*" "$result" "$expected" "$states"
}

run head-chain holds -DPIN -DNH=9
run head-chain fails
run head-chain fails -DPIN -DREACH
run rotation holds -DEPOCH
run rotation fails
run rotation fails -DEPOCH -DREACH
exit $failed
