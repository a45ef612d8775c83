#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A throw-away PostgreSQL for tests, demos and benchmarks, durable like a real one.
#
#   scripts/postgres.sh start DIR [--tcp]   starts one in DIR (made if missing), prints its URL
#   scripts/postgres.sh url   DIR           prints the URL again
#   scripts/postgres.sh stop  DIR           stops it; DIR stays (rm -r it when done)
#
# It listens on a Unix socket in DIR/socket, and on a free port of 127.0.0.1 with --tcp. Role and
# database are named `vault`; the role is no superuser, so row-level security holds for it, and
# may create databases. Started by root, it runs as the user `postgres`. Starting twice is fine.
set -eu

usage() { sed -n '3,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "postgres.sh: error: $*" >&2; exit 1; }

[ $# -ge 2 ] || usage
action=$1
dir=$2
tcp=${3:-}

bin=${VAULT_POSTGRES_BIN:-}
if [ -z "$bin" ]; then
  for candidate in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
    [ -x "$candidate/pg_ctl" ] && bin=$candidate && break
  done
fi
[ -x "$bin/pg_ctl" ] || fail "no PostgreSQL found under /usr/lib/postgresql; run scripts/setup.sh"

# PostgreSQL refuses to run as root.
as_server() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env LC_ALL=C.UTF-8 "$@"
  else
    env LC_ALL=C.UTF-8 "$@"
  fi
}

running() { as_server "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; }

port() { sed -n 4p "$dir/data/postmaster.pid"; }

url() {
  # Lines 4 to 6 of the pid file: port, socket folder, TCP address (empty without TCP).
  address=$(sed -n 6p "$dir/data/postmaster.pid")
  if [ -n "$address" ]; then
    echo "postgres://vault@127.0.0.1:$(port)/vault"
  else
    echo "postgres:///vault?host=$dir/socket&port=$(port)&user=vault"
  fi
}

free_port() {
  while :; do
    number=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
    grep -qi ":$(printf %04X "$number") " /proc/net/tcp || break
  done
  echo "$number"
}

initialise() {
  as_server "$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust \
    >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }
  cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir/socket'
max_connections = 200
fsync = on
synchronous_commit = on
shared_buffers = 128MB
CONF
}

start() {
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd -P)
  [ "$(printf %s "$dir/socket/.s.PGSQL.65535" | wc -c)" -le 107 ] || fail "the path $dir is too long for a Unix socket"
  exec 9>"$dir/.lock"
  flock 9
  if ! running; then
    if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$dir"; fi
    as_server test -x "$dir" || fail "the user postgres cannot reach $dir"
    as_server mkdir -p "$dir/socket"
    # A folder without PG_VERSION is what an interrupted initdb left.
    [ -f "$dir/data/PG_VERSION" ] || { rm -rf "$dir/data"; initialise; }
    options=
    if [ "$tcp" = --tcp ]; then options="-c listen_addresses=127.0.0.1 -p $(free_port)"; fi
    as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "$options" -w -t 60 start \
      >/dev/null 9>&- || { tail -n 20 "$dir/log" >&2; fail "PostgreSQL did not start"; }
  fi
  sql() { as_server "$bin/psql" -h "$dir/socket" -p "$(port)" -U postgres -d postgres -qAtX -v ON_ERROR_STOP=1 -c "$1" 9>&-; }
  [ "$(sql "SELECT count(*) FROM pg_roles WHERE rolname = 'vault'")" = 1 ] ||
    sql "CREATE ROLE vault LOGIN CREATEDB"
  [ "$(sql "SELECT count(*) FROM pg_database WHERE datname = 'vault'")" = 1 ] ||
    sql "CREATE DATABASE vault OWNER vault"
  url
}

case $action in
  start) start ;;
  url)
    running || fail "no PostgreSQL runs in $dir"
    dir=$(cd "$dir" && pwd -P)
    url ;;
  stop)
    if running; then as_server "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null; fi ;;
  *) usage ;;
esac
