#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what a fresh Debian 12 with Swift 6.3 and git is missing. Quiet when nothing is.
#
#   scripts/setup.sh build    what compiling, the demo and the server need
#   scripts/setup.sh test     that, and PostgreSQL
#   scripts/setup.sh canary   that, gdb, and .venv for the Python half
#   scripts/setup.sh check    what test needs, the C compiler and spin of the models, and .venv for the Python half
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libsodium-dev libpq-dev libsqlite3-dev zlib1g-dev pkg-config python3 make)
case ${1:-build} in
  build) ;;
  test) packages+=(postgresql procps) ;;
  canary) packages+=(postgresql python3-venv gdb) ;;
  check) packages+=(postgresql procps python3-venv spin gcc libc6-dev binutils) ;;
  *) sed -n '3,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

fail() { echo "setup.sh: error: $*" >&2; exit 1; }

command -v swift >/dev/null || fail "no swift in PATH; Swift 6.3 is at https://www.swift.org/install/linux/"

installed() { [ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || fail "this system has no apt-get; please install: ${missing[*]}"
  root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "please install as root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  echo "setup.sh: installing ${missing[*]}"
  # The tests start a PostgreSQL of their own: the package need not run one on this machine.
  settings=/etc/postgresql-common/createcluster.conf
  if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e "$settings" ]; then
    "${root[@]}" mkdir -p "$(dirname "$settings")"
    echo "create_main_cluster = false" | "${root[@]}" tee "$settings" >/dev/null
  fi
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  "${root[@]}" apt-get update >"$log" 2>&1 || { cat "$log" >&2; fail "apt-get update failed"; }
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold "${missing[@]}" >"$log" 2>&1 ||
    { cat "$log" >&2; fail "apt-get install failed"; }
fi

if [[ ${1:-build} == @(check|canary) ]]; then
  wanted=$(cat keyflow/model/requirements.txt scripts/requirements.txt)
  if [ "$wanted" != "$(cat .venv/installed.txt 2>/dev/null)" ]; then
    echo "setup.sh: making .venv"
    python3 -m venv .venv
    for file in keyflow/model/requirements.txt scripts/requirements.txt; do
      .venv/bin/pip install --quiet --disable-pip-version-check --requirement "$file"
    done
    echo "$wanted" >.venv/installed.txt
  fi
fi
