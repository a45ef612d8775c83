#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the ProVerif models and compares each query's answer with the expected one: the design's must
# be true, a weakened variant's false where it says so, and every event reachable ("REACH": not
# event(…) is false). Needs ProVerif 2.05 (not in Debian) as `proverif` or $PROVERIF, and cpp.
#
#   run-proverif.sh [MODEL]     prints one line a run; proverif/results.txt is such an output
set -eu
models=$(cd "$(dirname "$0")/proverif" && pwd)
proverif=${PROVERIF:-proverif}
only=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# run MODEL EXPECTED FLAGS…: EXPECTED is the queries' answers in order, t or f
run() {
  model=$1 expected=$2
  shift 2
  [ -z "$only" ] || [ "$only" = "$model" ] || return 0
  cpp -P -undef -nostdinc -traditional -w "$@" "$models/$model.pv" >"$work/$model.pv"
  "$proverif" -lib "$models/primitives" "$work/$model.pv" >"$work/log" 2>&1 || true
  answers=$(sed -n 's/^RESULT .*is \(t\)rue\.$/\1/p; s/^RESULT .*is \(f\)alse\.$/\1/p; s/^RESULT .*cannot be proved.*/?/p' \
    "$work/log" | tr -d '\n')
  verdict=ok
  if [ "$answers" != "$expected" ]; then verdict=WRONG failed=1; fi
  printf '%-5s %s %s: %s (expected %s)\n' "$verdict" "$model" "$*" "$answers" "$expected"
  grep '^RESULT' "$work/log" | sed 's/^/        /' || tail -5 "$work/log"
}

"$proverif" -help 2>&1 | sed -n 1p
date -u +%F
run naive-slot ttt
run naive-slot f -DWEAK
run login-agreement ttt
run login-agreement fft -DREACH
run malicious-server ttttt
run malicious-server tttft -DUNBOUND
run malicious-server tttft -DIN_CLEAR
run malicious-server ff -DREACH
run two-users ttt
run two-users ttf -DUID_UNBOUND
run two-users ff -DREACH
run rotation tt
run rotation ff -DLINK
run rotation tf -DOLD_KEY
run rotation ff -DROUTINE
run rotation f -DREACH
run recovery ttt
run recovery fft -DNO_HASH
run recovery fft -DNO_NONCE
run recovery fft -DNO_ACTION
run recovery ff -DREACH
run deletion ttt
run deletion ftt -DIN_CLEAR
run deletion tft -DUNBOUND
run deletion ff -DREACH
run weak-password tt
run weak-password ft -DLEAK
run weak-password f -DREACH
exit $failed
